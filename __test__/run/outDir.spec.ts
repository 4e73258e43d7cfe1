import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import test from 'ava'
import { HyperGraph } from '../../ts/index.ts'
import { folder } from '../graph/toys.ts'

test('a run makes <runId>_<date>_<random>/{ckpts,logs,src}, with the entry script in src', async (t) => {
  const parent = folder(t)
  const { outDir } = await new HyperGraph().run([], { outDir: parent, runId: 'mine' })
  t.is(dirname(outDir), parent)
  t.regex(basename(outDir), /^mine_\d{8}-\d{6}_[0-9a-f]{4}$/)
  t.deepEqual(readdirSync(outDir).toSorted(), ['ckpts', 'logs', 'run.json', 'src'])
  t.true(existsSync(join(outDir, 'src', basename(process.argv[1] ?? ''))))
})

test('a folder that cannot be made is an error that names it', async (t) => {
  const file = join(folder(t), 'file')
  writeFileSync(file, '')
  await t.throwsAsync(new HyperGraph().run([], { outDir: file }), { code: 'io', message: /cannot make the folder '.*file.*'/ })
})
