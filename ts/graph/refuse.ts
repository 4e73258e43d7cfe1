// Options whose time has not come are refused by name; a node would take them for resources otherwise.
import { FirnError } from '../errors.ts'

/** Fails with code `'argument'` when `options` holds one of `names`, saying what they are for. */
export function refuseOptions(what: string, options: object, names: readonly string[], why: string): void {
  const found = names.filter((name) => name in options)
  if (found.length > 0) throw new FirnError('argument', `${what}: ${found.join(', ')}: ${why}; leave it out`)
}
