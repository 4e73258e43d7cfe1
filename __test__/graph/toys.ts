// Small graphs that several specs share.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { native } from '../../ts/backend/index.ts'
import { type DataLoader, TensorDataset } from '../../ts/data/index.ts'
import { Node } from '../../ts/graph/index.ts'
import { Module, Parameter } from '../../ts/nn/index.ts'
import { HyperGraph } from '../../ts/run/index.ts'
import { type Tensor, tensor } from '../../ts/tensor/index.ts'

/** A new folder that is gone when the test is over. */
export function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'firn-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** `count` samples `{ x: [1], y: [] }`: x is the index, y its parity. */
export function numbers(count: number) {
  const index = Array.from({ length: count }, (_, i) => i)
  return new TensorDataset({
    x: { dtype: 'float32', shape: [1], data: Float32Array.from(index) },
    y: { dtype: 'int64', shape: [], data: BigInt64Array.from(index, (i) => BigInt(i % 2)) },
  })
}

/** The x of every batch of a loader. */
export const xs = (loader: DataLoader<ReturnType<typeof numbers>>): number[][] => Array.from(loader, ({ x }) => Array.from(x.dataSync()))

/** One number for each name, 1 at the start. */
export class Weights extends Module {
  readonly a = new Parameter(tensor([1]))
  readonly b = new Parameter(tensor([1]))
  forward(): Tensor {
    return this.a.mul(this.b).sum()
  }
}

/** A graph with a node for every name that notes each event it sees in `log`. */
export function logged(log: string[], ...names: string[]): HyperGraph {
  const graph = new HyperGraph()
  for (const name of names) graph.add(name, new Node(hooks(log, name)))
  return graph
}

/** Hooks that note what they see. */
export function hooks(log: string[], name: string) {
  return {
    prepare: () => void log.push(`${name}.prepare`),
    epochStart: () => void log.push(`${name}.epochStart`),
    forward: () => log.push(`${name}.forward`),
    backward: () => void log.push(`${name}.backward`),
    update: () => void log.push(`${name}.update`),
    epochEnd: () => void log.push(`${name}.epochEnd`),
    cleanUp: () => void log.push(`${name}.cleanUp`),
  }
}

/** Calls `note` whenever something is read from the device, until what is returned is called. */
export function noteReads(note: () => void): () => void {
  const originals = { read: native.read, item: native.item, gradsAreFinite: native.gradsAreFinite }
  for (const [name, original] of Object.entries(originals)) {
    Reflect.set(native, name, (...args: unknown[]) => {
      note()
      return Reflect.apply(original, native, args)
    })
  }
  return () => void Object.assign(native, originals)
}
