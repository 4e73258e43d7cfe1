// Groups by the names of parameters: every parameter goes to exactly one.
import { FirnError } from '../errors.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import { type NamedTensor, nameAll, type ParamSource } from './group.ts'
import type { OptionsOf, RuleName } from './rule.ts'

/** Which parameters: those whose name a regular expression is found in, those a function says yes to, or those that no other group takes. */
export type Match = RegExp | ((name: string, param: Tensor<DType>) => boolean) | 'rest'

/** A group of the parameters that match, with options of its own. */
export type MatchGroup<R extends RuleName = RuleName> = { readonly match: Match } & OptionsOf<R>

/** The parameters of each group; what is in none, in two, or a group without any, is an error that names them. */
export function matchGroups(
  what: string,
  source: ParamSource,
  groups: readonly { readonly match: Match }[],
): { params: NamedTensor[]; pattern: string }[] {
  const named = nameAll(what, source, 0)
  const problems: string[] = []
  for (const [i, { match }] of groups.entries()) {
    if (!(match instanceof RegExp) && typeof match !== 'function' && match !== 'rest')
      throw new FirnError('argument', `${what}: group ${i}: match must be a regular expression, a function or 'rest', got ${String(match)}`)
  }
  const own = groups.map(({ match }) => named.filter((entry) => matches(match, entry)))
  const taken = (entry: NamedTensor): number[] => own.flatMap((members, i) => (members.includes(entry) ? [i] : []))
  const rest = named.filter((entry) => taken(entry).length === 0)
  const rests = groups.flatMap(({ match }, i) => (match === 'rest' ? [i] : []))
  if (rests.length > 1) problems.push(`groups ${rests.join(', ')}: only one may be the rest`)
  for (const entry of named) {
    const places = taken(entry)
    if (places.length > 1) problems.push(`${entry[0]}: matched by groups ${places.join(', ')}`)
  }
  if (rests.length === 0)
    problems.push(...rest.map(([name]) => `${name}: matched by no group; add { match: 'rest' } or freeze it and leave it out`))
  const members = groups.map(({ match }, i) => (match === 'rest' ? rest : (own[i] ?? [])))
  for (const [i, { length }] of members.entries()) {
    if (length === 0)
      problems.push(`group ${i} (${show(groups[i]?.match)}): matches no parameter; there are ${named.map(([name]) => name).join(', ')}`)
  }
  if (problems.length > 0)
    throw new FirnError('argument', [`${what}: every parameter must be in one group`, ...problems.map((line) => `  ${line}`)].join('\n'))
  return members.map((params, i) => ({ params, pattern: show(groups[i]?.match) }))
}

function matches(match: Match, [name, param]: NamedTensor): boolean {
  if (match === 'rest') return false
  // `search` leaves the place that a regular expression with the flag g remembers alone.
  return match instanceof RegExp ? name.search(match) >= 0 : match(name, param)
}

const show = (match: Match | undefined): string => (typeof match === 'function' ? match.name || 'function' : String(match))
