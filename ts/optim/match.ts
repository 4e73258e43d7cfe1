// Groups by the names of parameters: which of them share options of their own.
import { FirnError, nearest } from '../errors.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import type { NamedTensor } from './group.ts'
import type { OptionsOf, RuleName } from './rule.ts'

/** A choice of parameters by name: where the pattern is found in it, or what the function says. */
export type Match = RegExp | ((name: string, param: Tensor<DType>) => boolean)

export interface HasMatch {
  readonly match: Match
}

/** Options of the parameters that match; what is not given is the optimizer's. */
export type MatchedGroup<R extends RuleName = RuleName> = HasMatch & OptionsOf<R>

/** Parameters with the options that were given for them. */
interface Matched {
  readonly params: readonly NamedTensor[]
}

/**
 * A group for each match, in their order, and one of the parameters that none matched, which comes last. Every parameter belongs to one group:
 * two matches of one name are an error, and so is a match of none.
 */
export function matchGroups(what: string, named: readonly NamedTensor[], groups: readonly HasMatch[]): Matched[] {
  const tests = groups.map(({ match }, i) => testOf(`${what}: group ${i}`, match))
  const owners = named.map(([name, param]) => {
    const matching = tests.flatMap((matches, i) => (matches(name, param) ? [i] : []))
    if (matching.length > 1) {
      const both = matching.map((i) => `group ${i} (${shown(groups[i]?.match)})`).join(' and ')
      throw new FirnError('argument', `${what}: '${name}' matches ${both}; a parameter belongs to one group`)
    }
    return matching[0] ?? groups.length
  })
  const own = groups.map(({ match, ...options }, i) => {
    const params = named.filter((_, k) => owners[k] === i)
    if (params.length === 0) throw noMatch(`${what}: group ${i}`, match, named)
    return { ...options, params }
  })
  const rest = named.filter((_, k) => owners[k] === groups.length)
  return rest.length > 0 ? [...own, { params: rest }] : own
}

function testOf(where: string, match: unknown): (name: string, param: Tensor<DType>) => boolean {
  // A pattern with the flag g or y remembers where it was.
  if (match instanceof RegExp) return (name) => new RegExp(match.source, match.flags.replace(/[gy]/g, '')).test(name)
  if (typeof match === 'function') return (name, param) => Boolean(match(name, param))
  throw new FirnError('argument', `${where}: match must be a regular expression or a function of name and parameter, got ${String(match)}`)
}

const shown = (match: Match | undefined): string => (match instanceof RegExp ? String(match) : match?.name || 'a function')

function noMatch(where: string, match: Match, named: readonly NamedTensor[]): FirnError {
  const names = named.map(([name]) => name)
  const near = match instanceof RegExp ? nearest(match.source.replace(/[^\w.]/g, ''), names) : undefined
  const help = near === undefined ? `there are ${names.join(', ')}` : `did you mean '${near}'?`
  return new FirnError('argument', `${where}: ${shown(match)} matches no parameter; ${help}`)
}
