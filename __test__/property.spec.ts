// Random programs of random ops: no crash, no internal error, no leak, and the laws of __test__/property/laws.ts. `npm run property` runs longer.
import test from 'ava'
import { assert, property } from 'fast-check'
import { cat, grad, tensor, zeros } from '../ts/index.ts'
import { programs, run, tally } from './property/program.ts'

const runs = Number(process.env['FIRN_PROPERTY_RUNS'] ?? 1500)
const seed = Number(process.env['FIRN_PROPERTY_SEED'] ?? 20_260_101)

test('random programs break no promise', (t) => {
  assert(property(programs, run), { numRuns: runs, seed })
  t.log(`${tally.programs} programs of seed ${seed}: ${tally.calls} calls, ${tally.refused} refused`)
  t.true(tally.calls - tally.refused > runs / 2)
})

test('booleans that were picked join others', (t) => {
  const x = tensor([true, false])
  const at = tensor([1, 0], { dtype: 'int64' })
  for (const picked of [x.indexSelect(0, at), x.gather(0, at), x.take(at), x.flip(0).take(at)]) {
    t.is(picked.dtype, 'bool')
    t.is(cat([picked, x]).dtype, 'bool')
  }
})

test('the gradient of an operand that broadcast against nothing is 0', (t) => {
  const x = tensor([[1, 2]], { requiresGrad: true })
  const [slope] = grad(zeros([0, 1, 1], { dtype: 'int64' }).mul(x).sum(), [x])
  t.deepEqual(slope?.toArraySync(), [[0, 0]])
})
