// Saving 200 MB: how long a step waits, and when the file is on the disk; beside them the same tensors by torch.save, where FIRN_PYTHON
// (default python3) can import it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HyperGraph, ModuleNode, nn, Node, ones, saveCheckpoint, train } from '../ts/index.ts'
import { measure } from './measure.ts'

const tensors = 50
const rows = 1000

class Large extends nn.Module {
  readonly weights = Array.from({ length: tensors }, () => new nn.Parameter(ones([rows, rows])))
  override forward(): void {}
}

const folder = mkdtempSync(join(tmpdir(), 'firn-bench-'))

/** Milliseconds of saves in one run: until the task after it begins, and until the file is on the disk. The first copies into fresh memory. */
async function saves(count: number): Promise<{ readonly waits: readonly number[]; readonly writes: readonly number[] }> {
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module: new Large(), forward: () => 0 }))
    .add('step', new Node({ forward: () => 0 }))
  const waits: number[] = []
  const writes: number[] = []
  let began = 0
  let written: Promise<void> = Promise.resolve()
  let tell: () => void = () => {}
  graph.events.on('taskEnd', async () => {
    await written
    written = new Promise((done) => (tell = done))
    began = performance.now()
  })
  graph.events.on('taskStart', () => void (began > 0 && waits.push(performance.now() - began)))
  graph.events.on('checkpointSaved', () => {
    writes.push(performance.now() - began)
    tell()
  })
  const save = [train({ steps: 1 }), saveCheckpoint({ keep: 1 })]
  await graph.run(
    Array.from({ length: count }, () => save)
      .flat()
      .concat(train({ steps: 1 })),
    { outDir: folder },
  )
  return { waits, writes }
}

/** Milliseconds of the same by PyTorch, synced to the disk as ours; none where it is not there. */
function torchSaves(count: number): readonly number[] {
  const python = process.env['FIRN_PYTHON'] ?? 'python3'
  const script = join(import.meta.dirname, 'peers', 'torch_save.py')
  const { status, stdout } = spawnSync(python, [script, folder, ...[tensors, rows, count].map(String)], { encoding: 'utf8' })
  return status === 0 ? JSON.parse(stdout) : []
}

const ours = saves(12)
const megabytes = (tensors * rows * rows * 4) / 1e6
await measure('checkpoint', [
  { name: `saving ${megabytes} MB: a step waits, the first time`, take: async () => (await ours).waits.slice(0, 1) },
  { name: `saving ${megabytes} MB: a step waits, later`, take: async () => (await ours).waits.slice(1) },
  { name: `saving ${megabytes} MB: until it is on the disk`, take: async () => (await ours).writes },
  { name: `saving ${megabytes} MB: torch.save, synced`, take: async () => torchSaves(12) },
])
rmSync(folder, { recursive: true })
