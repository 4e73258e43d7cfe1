// The one error of firn: what was asked, with which values, what was expected, what to do.

const codes = ['shape', 'dtype', 'device', 'disposed', 'autograd', 'argument', 'graph', 'io', 'platform', 'memory', 'internal'] as const

/** The class of a mistake. */
export type FirnErrorCode = (typeof codes)[number]

/** Whether a name is one of the codes. */
export function isErrorCode(name: string): name is FirnErrorCode {
  return codes.some((code) => code === name)
}

/**
 * Thrown for every mistake that firn notices; `code` tells the class, the message what to do.
 * @example
 * tensor([1, 2]).add(tensor([1, 2, 3])) // throws 'shape'
 */
export class FirnError extends Error {
  override readonly name = 'FirnError'
  readonly code: FirnErrorCode

  constructor(code: FirnErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Throws when `given` holds an option that is not among `known`. */
export function checkOptions(what: string, given: object, known: readonly string[]): void {
  // Seen where types are not checked: the letters of a word would be told of as unknown options.
  if (typeof given !== 'object' || given === null)
    throw new FirnError('argument', `${what}: ${JSON.stringify(given)} given, expected options: { ${known.join(', ')} }`)
  for (const name in given) {
    if (!known.includes(name)) throw unknownName(what, 'option', name, known)
  }
}

/** The error for a name that does not exist, with the nearest one that does. */
export function unknownName(what: string, kind: string, name: string, known: readonly string[]): FirnError {
  const near = nearest(name, known)
  const hint = near === undefined ? '' : `; did you mean '${near}'?`
  const list = known.length === 0 ? 'it takes none' : `known: ${known.join(', ')}`
  return new FirnError('argument', `${what}: unknown ${kind} '${name}'${hint} (${list})`)
}

/** The known name with the smallest edit distance, if it is near enough to be meant; else one that is its beginning, as `kernel` of `kernelSize`. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    // Two words with no letter in common are as far apart as the longer one is long.
    if (distance < least && distance < Math.max(name.length, candidate.length)) [best, least] = [candidate, distance]
  }
  return best ?? known.find((candidate) => candidate.length >= 3 && name.toLowerCase().startsWith(candidate.toLowerCase()))
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
