// How a dataset is made again in a worker: functions and tensors cannot cross, the name of a function in a module can.
import { FirnError } from '../errors.ts'
import type { Dataset } from './dataset.ts'

/** Where a dataset is made: an exported function of a module, and what it is called with. */
export interface Origin {
  /** The address of the module. */
  readonly module: string
  /** The exported function, which returns the dataset or a promise of it. */
  readonly name: string
  /** Plain data; arrays over a `SharedArrayBuffer` are shared, others copied. */
  readonly args: unknown
}

/** A dataset that tells where it is made, so that `workers` can make it again. */
export interface PortableDataset<Sample = unknown> extends Dataset<Sample> {
  origin(): Origin
}

const origins = new WeakMap<object, Origin>()

/**
 * Makes a dataset by the default export of a module, so that `workers` can make it, too: `fromModule<typeof make>(new URL('./my-data.ts',
 * import.meta.url), args)`, where the type of the function gives those of arguments and samples. Fails with code `'argument'` when the
 * module has no such function.
 *
 * @param options.name another export of the module
 *
 * @example
 * const module = 'data:text/javascript,export default (n) => ({ length: n, get: (i) => i * i })'
 * const squares = await fromModule<(n: number) => Dataset<number>>(module, 4)
 * squares.get(3) // 9
 */
export async function fromModule<Make extends (args: never) => unknown>(
  module: URL | string,
  args: Parameters<Make>[0],
  options?: { readonly name?: string },
): Promise<Awaited<ReturnType<Make>>>
export async function fromModule(
  module: URL | string,
  args: unknown,
  { name = 'default' }: { readonly name?: string } = {},
): Promise<unknown> {
  const origin = { module: String(module), name, args }
  const dataset = await remake(origin)
  origins.set(dataset, origin)
  return dataset
}

/** Makes the dataset that an origin tells of. */
export async function remake({ module, name, args }: Origin): Promise<Dataset> {
  const exported: Readonly<Record<string, unknown>> = await import(module)
  const make = exported[name]
  if (typeof make !== 'function')
    throw new FirnError('argument', `'${module}' exports no function '${name}'; it has ${Object.keys(exported).join(', ') || 'nothing'}`)
  const dataset: unknown = await make(args)
  if (isDataset(dataset)) return dataset
  throw new FirnError(
    'argument',
    `'${name}' of '${module}' gave ${dataset === null ? 'null' : typeof dataset}, expected { length, get(index) }`,
  )
}

/** Where a dataset is made. Fails with code `'argument'`, naming `what`, when it does not say. */
export function originOf(what: string, dataset: Dataset): Origin {
  const known = origins.get(dataset)
  if (known !== undefined) return known
  if ('origin' in dataset && typeof dataset.origin === 'function') return dataset.origin()
  throw new FirnError(
    'argument',
    `${what}: workers cannot make ${dataset.constructor.name === 'Object' ? 'this dataset' : `a dataset of type ${dataset.constructor.name}`} again, because functions do not cross to them. Move it into a module that exports a function which makes it, and give dataset: await fromModule(new URL('./my-data.ts', import.meta.url), args)`,
  )
}

/** The array over shared memory, copied there if it is not yet. */
export function shared<A extends ArrayBufferView & { readonly buffer: ArrayBufferLike }>(array: A): A
export function shared(array: ArrayBufferView): unknown {
  if (array.buffer instanceof SharedArrayBuffer) return array
  const known = copies.get(array)
  if (known !== undefined) return known
  const memory = new SharedArrayBuffer(array.byteLength)
  new Uint8Array(memory).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  const copy: unknown = Reflect.construct(array.constructor, [memory])
  if (typeof copy === 'object' && copy !== null) copies.set(array, copy)
  return copy
}

// Several loaders over one dataset share one copy.
const copies = new WeakMap<ArrayBufferView, object>()

const isDataset = (value: unknown): value is Dataset =>
  typeof value === 'object' &&
  value !== null &&
  'length' in value &&
  typeof value.length === 'number' &&
  'get' in value &&
  typeof value.get === 'function'
