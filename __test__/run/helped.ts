// Asks for hyper-parameters, for a test of --help; what comes after must not be printed then.
import { z } from 'zod'
import { hparams } from '../../ts/run/index.ts'

const schema = z.object({
  data: z.string().describe('where the samples are'),
  lr: z.number().default(0.001),
  optimizer: z.enum(['adam', 'sgd']).default('adam'),
  sizes: z.array(z.int()).default([64]),
  crop: z.tuple([z.int(), z.int()]).optional(),
})
console.log(hparams(schema, { positional: ['data'] }))
