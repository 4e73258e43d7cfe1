// Datasets to begin with.
export { type Mnist, mnist, type MnistOptions } from './mnist.ts'
