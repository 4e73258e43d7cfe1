import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { folder } from '../graph/toys.ts'

/** Runs an example in an empty folder and gives what it prints. */
async function run(t: ExecutionContext, name: string, cwd = folder(t), args: readonly string[] = []): Promise<string> {
  const script = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=firn-source', script, ...args], { cwd })
  return stdout
}

test('examples/eager.ts learns the digits', async (t) => {
  const right = Number(/(\d+) of 2000/.exec(await run(t, 'eager'))?.[1])
  t.true(right > 1700, `${right} right`)
})

test('examples/graph.ts learns the digits, and leaves a checkpoint an epoch', async (t) => {
  const cwd = folder(t)
  const output = await run(t, 'graph', cwd)
  t.true(Number(/eval: .*accuracy: ([\d.]+)/.exec(output)?.[1]) > 0.9, output)
  const [outDir = ''] = readdirSync(join(cwd, 'out'))
  t.deepEqual(readdirSync(join(cwd, 'out', outDir, 'ckpts')).toSorted(), ['E1S80.safetensors', 'E2S160.safetensors', 'E3S240.safetensors'])
  t.true(existsSync(join(cwd, 'out', outDir, 'src', 'graph.ts')))
})

// These two judge themselves, and end with an error where they miss what they state.
test('examples/gan.ts covers most of the clusters in two fifths of its rounds', async (t) => {
  t.regex(await run(t, 'gan', folder(t), ['2000', '6']), /^reached: 6 of 8 clusters/m)
})

test('examples/gan.ts says that it missed what cannot be reached in a few rounds', async (t) => {
  await t.throwsAsync(run(t, 'gan', folder(t), ['5']), { code: 1, message: /gan/ })
})

test('examples/multitask.ts: shares by descent neglect neither task', async (t) => {
  t.regex(await run(t, 'multitask', folder(t), ['2000', '3']), /^reached: /m)
})
