// What the binding says of the machine.
import test from 'ava'
import { native } from '../ts/backend/index.ts'

test('the bandwidth of memory is that of a machine of this century', (t) => {
  const bytes = native.memoryBandwidth(12 * 2 ** 20)
  t.true(bytes > 1e8 && bytes < 1e13, `${bytes} bytes a second`)
})
