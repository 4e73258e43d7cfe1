// Worker threads: the addon in several at once, and tensors that stay where they are.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { ones, tensor } from '../../ts/index.ts'

const start = (): Worker => new Worker(new URL('echo.ts', import.meta.url), { execArgv: ['--conditions=firn-source'] })

async function ask(worker: Worker, order: object): Promise<unknown> {
  const reply = once(worker, 'message')
  worker.postMessage(order)
  return (await reply)[0]
}

async function withWorkers(t: ExecutionContext, n: number, fn: (workers: Worker[]) => Promise<void>): Promise<void> {
  const workers = Array.from({ length: n }, start)
  try {
    await fn(workers)
  } finally {
    for (const worker of workers) t.is(await worker.terminate(), 1)
  }
}

test.serial('four workers compute at once, and right', async (t) => {
  await withWorkers(t, 4, async (workers) => {
    const order = (seed: number) => ({ do: 'train', seed, steps: 50 })
    const together = await Promise.all(workers.map((worker, i) => ask(worker, order(i))))
    const [one] = workers
    if (one === undefined) return t.fail()
    for (const [i, result] of together.entries()) t.deepEqual(result, await ask(one, order(i)), `seed ${i}`)
    t.notDeepEqual(together[0], together[1])
  })
})

test.serial('a worker ends while it computes, and the others go on', async (t) => {
  for (let i = 0; i < 5; i++) {
    const worker = start()
    const spinning = once(worker, 'message')
    worker.postMessage({ do: 'spin' })
    await spinning
    await new Promise((resolve) => setTimeout(resolve, 5))
    t.is(await worker.terminate(), 1)
  }
  t.is(
    ones([512, 512])
      .matmul(ones([512, 512]))
      .sum()
      .itemSync(),
    512 ** 3,
  )
})

test.serial('a tensor is not posted by accident', async (t) => {
  const x = ones([2])
  const refused = { name: 'DataCloneError', message: /stays on its thread.*await x\.data\(\)/ }
  t.throws(() => structuredClone(x), refused)
  t.throws(() => structuredClone({ batch: [x] }), refused)
  await withWorkers(t, 1, async ([worker]) => {
    if (worker === undefined) return t.fail()
    t.throws(() => worker.postMessage(x), refused)
    t.regex(JSON.stringify(await ask(worker, { do: 'send' })), /stays on its thread/)
  })
})

test.serial('a handle of another thread names no tensor', async (t) => {
  const x = ones([2])
  await withWorkers(t, 1, async ([worker]) => {
    if (worker === undefined) return t.fail()
    t.deepEqual(await ask(worker, { do: 'handle', handle: x.handle }), { result: [true, 64, 64] })
  })
})

test.serial('data goes by copy, by transfer and by shared memory', async (t) => {
  await withWorkers(t, 1, async ([worker]) => {
    if (worker === undefined) return t.fail()
    const data = await ones([1000]).data()
    t.deepEqual(await ask(worker, { do: 'sum', data }), { result: 1000 })
    const reply = once(worker, 'message')
    worker.postMessage({ do: 'sum', data }, [data.buffer])
    t.deepEqual((await reply)[0], { result: 1000 })
    t.is(data.length, 0, 'it was moved, not copied')
    const shared = new Float32Array(new SharedArrayBuffer(16)).fill(2)
    t.deepEqual(await ask(worker, { do: 'sum', data: shared }), { result: 8 })
    t.is(tensor(shared).sum().itemSync(), 8)
  })
})
