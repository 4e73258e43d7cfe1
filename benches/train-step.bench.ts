// Whole training steps: forward, loss, backward, AdamW, the loss read back.
import { measure } from './measure.ts'
import { convnetStep, mlpStep } from './models.ts'

const sizes = [784, 256, 128, 10]

await measure('train-step', [
  { name: 'MLP 784-256-128-10, B=64', open: () => ({ run: mlpStep({ sizes, batch: 64 }) }) },
  { name: 'MLP 784-256-128-10, B=128', open: () => ({ run: mlpStep({ sizes, batch: 128 }) }) },
  { name: 'MLP 784-256-128-10, B=64, plain optimizer', open: () => ({ run: mlpStep({ sizes, batch: 64 }, false) }) },
  { name: 'convnet 32-64-fc128, B=64', open: () => ({ run: convnetStep({ channels: [1, 32, 64], hidden: 128, batch: 64 }) }) },
])
