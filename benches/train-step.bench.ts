// Whole training steps: forward, loss, backward, AdamW, the loss read back.
import { measure } from './measure.ts'
import { convnetStep, gptStep, mlpStep } from './models.ts'

const sizes = [784, 256, 128, 10]

await measure('train-step', [
  { name: 'MLP 784-256-128-10, B=64', open: () => ({ run: mlpStep({ sizes, batch: 64 }) }) },
  { name: 'MLP 784-256-128-10, B=128', open: () => ({ run: mlpStep({ sizes, batch: 128 }) }) },
  { name: 'MLP 784-256-128-10, B=64, plain optimizer', open: () => ({ run: mlpStep({ sizes, batch: 64 }, false) }) },
  { name: 'convnet 32-64-fc128, B=64', open: () => ({ run: convnetStep({ channels: [1, 32, 64], hidden: 128, batch: 64 }) }) },
  {
    name: 'GPT 4 x 128, context 64, B=16',
    open: () => ({ run: gptStep({ layers: 4, size: 128, heads: 4, context: 64, vocabulary: 65, batch: 16 }) }),
  },
])
