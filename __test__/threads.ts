// A program for threads.spec.ts: prints the digest of many results, each large enough to be cut into pieces, as JSON.
import { createHash } from 'node:crypto'
import * as firn from '../ts/index.ts'
import type { DType, Tensor } from '../ts/index.ts'

/** The bits of a tensor, shortened. */
function digest(x: Tensor<DType>): string {
  const { buffer, byteOffset, byteLength } = x.detach().dataSync()
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex')
    .slice(0, 16)
}

/** The digests of a result and of the gradients for what it was made of. */
function both(run: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): string[] {
  const leaves = inputs.map((x) => {
    const leaf = x.detach()
    leaf.requiresGrad = true
    return leaf
  })
  const out = run(...leaves)
  out.mul(out).sum().backward()
  return [out, ...leaves.map((leaf) => leaf.grad ?? leaf)].map(digest)
}

export function results(): Record<string, string | string[]> {
  using _scope = firn.tensorScope()
  firn.seed(5)
  const [tall, wide, long] = [firn.randn([5000, 60]), firn.randn([60, 5000]), firn.randn([300_001])]
  const rows = firn.randint(0, 60, { shape: [9000] })
  const places = firn.randint(0, 60, { shape: [5000, 60] })
  const param = new firn.nn.Parameter(firn.randn([300, 1000]))
  param.grad = firn.randn([300, 1000])
  return {
    exp: digest(long.exp()),
    sum: [long.sum(), tall.sum(0), tall.sum(1), wide.sum(0), wide.sum(1), long.double().sum()].map(digest),
    largest: [long.amax(), tall.argmax(0), wide.argmax(1)].map(digest),
    var: both((x) => x.var(0), tall),
    norm: both((x) => x.norm(), long),
    logSumExp: [tall, wide].flatMap((x) => both((x) => x.logSumExp(0), x)),
    softmax: [tall, wide].flatMap((x) => both((x) => x.softmax(-1), x)),
    cumsum: [tall.cumsum(0), wide.cumsum(1)].map(digest),
    matmul: both((a, b) => a.matmul(b), tall, wide.narrow(1, 0, 300)),
    conv2d: both((x, w) => x.conv2d(w), firn.randn([3, 8, 40, 40]), firn.randn([16, 8, 3, 3])),
    layerNorm: both((x, weight, bias) => firn.F.layerNorm(x, 60, { weight, bias }), tall, firn.randn([60]), firn.randn([60])),
    groupNorm: both((x) => firn.F.groupNorm(x, 4), firn.randn([40, 16, 100])),
    batchNorm: both((x) => firn.F.batchNorm(x), firn.randn([40, 16, 100])),
    gather: both((x) => x.gather(1, places), tall),
    scatterAdd: both((x, y) => x.scatterAdd(1, places, y), tall, firn.randn([5000, 60])),
    indexSelect: [tall, wide].flatMap((x, dim) => both((x) => x.indexSelect(1 - dim, rows), x)),
    order: [long.argsort(), tall.argsort(0)].map(digest),
    clipped: [String(firn.optim.clipGradNorm([param], 1)), digest(param.grad)],
  }
}

if (process.argv[1] === import.meta.filename) console.log(JSON.stringify(results()))
