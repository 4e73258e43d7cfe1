// A worker for workers.spec.ts: does as it is told by message.
import { parentPort } from 'node:worker_threads'
import { memory, ones, randn, seed, tensor, Tensor } from '../../ts/index.ts'

type Order =
  | { readonly do: 'train'; readonly seed: number; readonly steps: number }
  | { readonly do: 'sum'; readonly data: Float32Array }
  | { readonly do: 'handle'; readonly handle: number }
  | { readonly do: 'send' }
  | { readonly do: 'spin' }

function train(from: number, steps: number): number[] {
  seed(from)
  let x = randn([64, 64])
  for (let i = 0; i < steps; i++) x = x.matmul(x).tanh()
  return [...x.sum(0).dataSync()]
}

function act(order: Order): unknown {
  switch (order.do) {
    case 'train':
      return train(order.seed, order.steps)
    case 'sum':
      return tensor(order.data).sum().itemSync()
    case 'handle': {
      // As many tensors as the other thread may have, so that there is a place for the handle.
      const own = Array.from({ length: 64 }, () => ones([1]))
      return [new Tensor(order.handle).isDisposed, own.length, memory().handles]
    }
    case 'send':
      parentPort?.postMessage(ones([2]))
      return 'sent'
    case 'spin': {
      parentPort?.postMessage('spinning')
      for (;;)
        ones([512, 512])
          .matmul(ones([512, 512]))
          .dispose()
    }
  }
}

parentPort?.on('message', (order: Order) => {
  try {
    parentPort?.postMessage({ result: act(order) })
  } catch (error) {
    parentPort?.postMessage({ error: String(error) })
  }
})
