// Samples on disk, after the part of the pipeline that is the same in every epoch: one file each.
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { checkOptions, FirnError } from '../errors.ts'
import type { Dataset } from './dataset.ts'
import { type Packed, pack, type Tree, unpack } from './pack.ts'
import { Context, type Stage } from './pipeline.ts'
import type { Pass } from './sampler.ts'

/** Options of a cache. */
export interface CacheOptions {
  /** Made if it is not there. */
  readonly folder: string
  /**
   * To be changed when the data has changed, or what stages call or have from outside; stages themselves are compared by their text, those
   * of firn by their arguments, too. @default 0
   */
  readonly version?: number | string
}

/** Refuses options that a cache does not have. */
export function checkCache(what: string, cache: CacheOptions): void {
  checkOptions(`${what}: cache`, cache, ['folder', 'version'])
  if (typeof cache.folder !== 'string' || cache.folder === '')
    throw new FirnError('argument', `${what}: cache.folder ${JSON.stringify(cache.folder)}, expected the path of a folder`)
}

type Stages = readonly Stage<unknown, unknown>[]

/** Runs one stage, or asks the dataset. */
export type Step = <T>(value: T) => T

/** Files in the layout: magic, checksum of what follows, length of the JSON, JSON, bytes. */
const magic = 'FIRNSMPL'
const headerSize = 16

interface Entry {
  /** Stages that the sample has been through. */
  readonly done: number
  readonly sample: unknown
}

/** What a dataset and stages give, kept on disk where it does not change from epoch to epoch. Workers may share a folder. */
export class SampleCache {
  readonly #folder: string
  readonly #version: string
  readonly #dataset: Dataset
  readonly #stages: Stages
  readonly #step: Step
  /** The first stage that looked at what is random, in the last sample that was made. */
  #guess: number

  /** @param step refuses what may be no sample */
  constructor(options: CacheOptions, dataset: Dataset, stages: Stages, step: Step) {
    this.#folder = options.folder
    this.#version = String(options.version ?? 0)
    this.#dataset = dataset
    this.#stages = stages
    this.#step = step
    this.#guess = stages.length
  }

  /** The sample at an index, after all stages. */
  sample(index: number, pass: Pass): unknown {
    const kept = this.#read(index)
    return kept === undefined ? this.#make(index, pass) : this.#run(kept.sample, new Context(index, pass), kept.done)
  }

  #run(sample: unknown, context: Context, from: number, to = this.#stages.length): unknown {
    return this.#stages.slice(from, to).reduce((value, stage) => this.#step(stage(value, context)), sample)
  }

  #make(index: number, pass: Pass): unknown {
    const context = new Context(index, pass)
    let sample = this.#get(context)
    let steady = this.#stages.length
    let packed: Packed | undefined
    for (const [i, stage] of this.#stages.entries()) {
      // A stage may change its sample in place, so what is kept has to be read before.
      if (i === this.#guess) packed = copied(pack(sample))
      sample = this.#step(stage(sample, context))
      if (context.touched) steady = Math.min(steady, i)
    }
    if (steady !== this.#guess || packed === undefined) {
      this.#guess = steady
      const again = new Context(index, pass)
      packed = pack(steady === this.#stages.length ? sample : this.#run(this.#get(again), again, 0, steady))
    }
    this.#write(index, steady, packed)
    return sample
  }

  #get(context: Context): unknown {
    const sample = this.#step(this.#dataset.get(context.index, context))
    if (!context.touched) return sample
    throw new FirnError(
      'argument',
      'cache: the samples of the dataset are random themselves; give what is random in them as stages of the pipeline',
    )
  }

  #read(index: number): Entry | undefined {
    const path = this.#path(index)
    let file: Buffer
    try {
      file = readFileSync(path)
    } catch {
      return undefined
    }
    try {
      const { key, done, tree, bytes } = parse(file)
      return key === this.#key(done) ? { done, sample: unpack(tree, bytes) } : undefined
    } catch (error) {
      console.warn(`cache: '${path}' is damaged and is made anew: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }

  // Renamed into place, so that another worker finds a whole file or none.
  #write(index: number, done: number, { tree, byteLength, write }: Packed): void {
    const json = Buffer.from(JSON.stringify({ key: this.#key(done), done, tree }))
    const start = Math.ceil((headerSize + json.length) / 8) * 8
    const file = Buffer.alloc(start + byteLength)
    file.write(magic, 'latin1')
    file.writeUInt32LE(json.length, 12)
    file.set(json, headerSize)
    write(file.subarray(start))
    file.writeUInt32LE(crc32(file.subarray(12)), 8)
    const path = this.#path(index)
    const temporary = `${path}.${randomUUID()}.tmp`
    try {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(temporary, file)
      renameSync(temporary, path)
    } catch (cause) {
      try {
        rmSync(temporary, { force: true })
      } catch {} // The error below is the one to read.
      throw new FirnError('io', `cache: cannot write '${path}': ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
  }

  /** What an entry depends on, apart from the dataset. */
  #key(done: number): string {
    const texts = this.#stages.slice(0, done).map(String)
    return createHash('sha256')
      .update(JSON.stringify([this.#version, texts]))
      .digest('hex')
  }

  // A thousand files in a folder, which every file system bears.
  #path(index: number): string {
    return join(this.#folder, String(Math.floor(index / 1000)), `${index}.sample`)
  }
}

interface Parsed {
  readonly key: unknown
  readonly done: number
  readonly tree: Tree
  readonly bytes: Uint8Array
}

function parse(file: Buffer): Parsed {
  if (file.length < headerSize || file.toString('latin1', 0, 8) !== magic) throw new FirnError('io', 'it is no cached sample')
  if (crc32(file.subarray(12)) !== file.readUInt32LE(8)) throw new FirnError('io', 'its checksum is wrong')
  const end = headerSize + file.readUInt32LE(12)
  const head: { readonly key?: unknown; readonly done?: unknown; readonly tree?: Tree } = JSON.parse(file.toString('utf8', headerSize, end))
  const { key, done, tree = null } = head
  if (typeof done !== 'number') throw new FirnError('io', 'it does not say which stages it has been through')
  // A copy begins where every typed array may begin.
  return { key, done, tree, bytes: new Uint8Array(file.subarray(Math.ceil(end / 8) * 8)) }
}

/** The same with its bytes read now. */
function copied({ tree, byteLength, write }: Packed): Packed {
  const bytes = new Uint8Array(byteLength)
  write(bytes)
  return { tree, byteLength, write: (target) => target.set(bytes) }
}
