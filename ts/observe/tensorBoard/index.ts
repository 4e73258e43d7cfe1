// A log that TensorBoard shows.
import { join } from 'node:path'
import type { Observer } from '../../graph/index.ts'
import type { Json } from '../../io/index.ts'
import { gatherSteps } from '../steps.ts'
import { logOptions, type LogOptions, logsOf } from '../textLog.ts'
import type { EventFiles } from './board.ts'

/** Options of `tensorBoard`. */
export interface TensorBoardOptions extends LogOptions {
  /** What the table of hyper-parameters shows of the run beside its seed and device; what is nested stands under `outer/inner`. */
  readonly hparams?: Readonly<Record<string, Json>>
}

/**
 * Writes event files for TensorBoard into `logs/tensorboard` of the run: scalars, vitals, histograms, images and texts of every `every`
 * iterations, what nodes report of epochs as `epoch/<name>`. `hparams`, seed and device are in
 * the table of hyper-parameters, beside the last values. The nodes and who reads whom are in the tab of graphs. Training is in the folder `train`,
 * evaluations are in folders named after their tags, so that their curves meet in one diagram: `tensorboard --logdir out` shows all runs.
 *
 * @example
 * graph.observe(tensorBoard({ every: 10, hparams: { lr: 1e-3, net: { depth: 3 } } }))
 * await graph.run([train({ epochs: 1, tags: 'train' })])
 */
export function tensorBoard(options: TensorBoardOptions = {}): Observer {
  const { every, vitals } = logOptions('tensorBoard', options, ['hparams'])
  return (events) => {
    let files: EventFiles | null = null
    events.on('runStart', async (info) => {
      const folder = logsOf(info)
      if (folder === null) return
      // With its libraries, by those who log.
      const { EventFiles: Files } = await import('./board.ts')
      files = new Files(join(folder, 'tensorboard'))
      files.begin({ seed: info.seed, device: info.device, ...info.hparams, ...options.hparams })
    })
    gatherSteps(events, { every, vitals }, (step) => files?.step(step))
    events.on('epochEnd', (record) => files?.epoch(record))
    events.on('graph', (record) => files?.graph(record))
    events.on('histogram', (record) => files?.histogram(record), { every })
    events.on('image', (record) => files?.image(record), { every })
    events.on('text', (record) => files?.text(record), { every })
    events.on('checkpointSaved', () => files?.flush())
    events.on('runEnd', async ({ error }) => {
      const done = files
      files = null
      await done?.close(error !== undefined)
    })
  }
}
