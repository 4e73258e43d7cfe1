// Results are the same bits for any number of threads.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const program = fileURLToPath(new URL('threads.ts', import.meta.url))

function resultsOn(threads: number): unknown {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=firn-source', program], {
    env: { ...process.env, RAYON_NUM_THREADS: String(threads) },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

test('results do not depend on the number of threads', (t) => {
  const one = resultsOn(1)
  t.deepEqual(resultsOn(2), one)
  t.deepEqual(resultsOn(5), one)
})
