// State kept in parts by several processes: what it will be, and that it is not there yet.
import { FirnError } from '../errors.ts'

/** Fails with code `'argument'` unless `shard` is false. */
export function refuseShard(what: string, shard: unknown): void {
  if (shard === undefined || shard === false) return
  throw new FirnError(
    'argument',
    `${what}: shard: ${String(shard)} is to split the optimizer's state over processes (ZeRO, stage 1); training over several processes is not there yet, leave it out`,
  )
}

/** Fails with code `'argument'` unless `rank` is that of the only process, which holds the whole state. */
export function checkRank(what: string, rank: number): void {
  if (rank === 0) return
  throw new FirnError('argument', `${what}: rank ${rank}, expected 0: there is one process, and it holds the whole state`)
}
