// Random programs of random ops: no crash, no internal error, no leak, and the laws of __test__/property/laws.ts. `npm run property` runs longer.
import test from 'ava'
import { assert, property } from 'fast-check'
import { programs, run, tally } from './property/program.ts'

const runs = Number(process.env['FIRN_PROPERTY_RUNS'] ?? 1500)
const seed = Number(process.env['FIRN_PROPERTY_SEED'] ?? 20_260_101)

test('random programs break no promise', (t) => {
  assert(property(programs, run), { numRuns: runs, seed })
  t.log(`${tally.programs} programs of seed ${seed}: ${tally.calls} calls, ${tally.refused} refused`)
  t.true(tally.calls - tally.refused > runs / 2)
})
