import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { call, describeTasks, evaluate, HyperGraph, loadCheckpoint, repeat, saveCheckpoint, task, train } from '../../ts/index.ts'
import { folder } from '../graph/toys.ts'

const check = evaluate({ epochs: 1, tags: 'val' })

test('an item a line, what is within another indented, with what repeats come to', (t) => {
  const tasks = [
    loadCheckpoint({ from: 'pretrained.safetensors', strict: true, tags: 'net' }),
    repeat(3, [train({ epochs: 2, tags: ['b', 'a'] }), repeat(2, [check]), saveCheckpoint({ keep: 2 })]),
    task({ train: true, steps: 1, simulateEpoch: true }),
    saveCheckpoint({ to: 'last.safetensors' }),
    call(function look() {}),
    call(() => {}),
  ]
  t.is(
    describeTasks(tasks),
    [
      'load pretrained.safetensors, tags net, strict',
      'repeat 3 times',
      '  train 2 epochs, tags a,b (6 epochs in all)',
      '  repeat 2 times (6 in all)',
      '    evaluate 1 epoch, tags val (6 epochs in all)',
      '  save a checkpoint, keep 2 (3 in all)',
      'train 1 step, as an epoch',
      'save a checkpoint to last.safetensors',
      'call look',
      'call a function',
    ].join('\n'),
  )
})

test('tasks in the middle of a training: counted where its steps say how often, told as they are where its data do', (t) => {
  const every = { steps: 500, tasks: [check, saveCheckpoint()] }
  t.is(
    describeTasks([repeat(2, [train({ steps: 10_000, every })]), train({ epochs: 9, every })]),
    [
      'repeat 2 times',
      '  train 10,000 steps (20,000 steps in all)',
      '    every 500 steps',
      '      evaluate 1 epoch, tags val (40 epochs in all)',
      '      save a checkpoint (40 in all)',
      'train 9 epochs',
      '  every 500 steps',
      '    evaluate 1 epoch, tags val',
      '    save a checkpoint',
    ].join('\n'),
  )
})

test('run.json in the folder of a run has its tasks', async (t) => {
  const tasks = [repeat(2, [call(() => {})])]
  const { outDir } = await new HyperGraph().run(tasks, { outDir: folder(t) })
  t.is(JSON.parse(readFileSync(join(outDir, 'run.json'), 'utf8')).tasks.join('\n'), describeTasks(tasks))
})
