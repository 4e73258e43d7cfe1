// Which parameters belong to which pattern.
import { FirnError, nearest } from '../errors.ts'

/**
 * The parameter names that each pattern matches from their beginning on. Warns of a pattern that matches none;
 * fails with code `'argument'` when two match one name.
 */
export function claimParameters(patterns: readonly string[], names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const claims = new Map(patterns.map((pattern) => [pattern, matching(pattern, names)]))
  for (const name of names) {
    const claimed = patterns.filter((pattern) => claims.get(pattern)?.includes(name))
    if (claimed.length > 1) {
      throw new FirnError(
        'argument',
        `optimizers: parameter '${name}' matches ${claimed.map((pattern) => `'${pattern}'`).join(' and ')}; one optimizer may train it`,
      )
    }
  }
  for (const [pattern, claimed] of claims) if (claimed.length === 0) warnUnmatched(pattern, names)
  return claims
}

function matching(pattern: string, names: readonly string[]): readonly string[] {
  try {
    const prefix = new RegExp(`^(?:${pattern})`)
    return names.filter((name) => prefix.test(name))
  } catch (cause) {
    throw new FirnError('argument', `optimizers: '${pattern}' is not a regular expression`, { cause })
  }
}

function warnUnmatched(pattern: string, names: readonly string[]): void {
  const near = nearest(pattern.replace(/[^\w.]/g, ''), names)
  console.warn(
    `optimizers: pattern '${pattern}' matches no parameter${near === undefined ? `; there are ${names.join(', ')}` : `; did you mean '${near}'?`}`,
  )
}
