// The event files of a run: one folder for training, one for each kind of evaluation, one for the hyper-parameters.
import { join } from 'node:path'
import { encode } from 'fast-png'
import type { EpochRecord, GraphEvents, Pixels, Place } from '../../graph/index.ts'
import type { Json } from '../../io/index.ts'
import { numbersIn } from '../numbersIn.ts'
import type { Step } from '../steps.ts'
import { EventFile } from './eventFile.ts'
import { sessionEnd, sessionStart } from './hparams.ts'
import type { Summary } from './messages.ts'

/** What is written for TensorBoard. */
export class EventFiles {
  readonly #folder: string
  readonly #files = new Map<string, EventFile>()
  /** Curves whose graph is written. */
  readonly #drawn = new Set<string>()
  readonly #time = Date.now()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Notes what the run is made with. */
  begin(hparams: Readonly<Record<string, Json>>): void {
    const time = Date.now()
    this.#file('').add(time, 0, [{ tag: '_hparams_/session_start_info', hparams: sessionStart(hparams, time) }])
  }

  step({ values, ...place }: Step): void {
    this.#add(
      place,
      Object.entries(values).map(([tag, scalar]) => ({ tag, scalar })),
    )
  }

  epoch(record: EpochRecord): void {
    const values = Object.entries(record.metrics).flatMap(([name, value]) => numbersIn(name, value))
    const all = [...values, ['seconds', record.seconds] as const]
    this.#add(
      { ...record, time: Date.now() },
      all.map(([name, scalar]) => ({ tag: `epoch/${name}`, scalar })),
    )
  }

  /** A graph for each curve, as it was seen first. */
  graph({ nodes, time, ...place }: GraphEvents['graph']): void {
    const curve = curveOf(place)
    if (this.#drawn.has(curve)) return
    this.#drawn.add(curve)
    this.#file(curve).graph(time, nodes)
  }

  histogram(histogram: GraphEvents['histogram']): void {
    if (histogram.count > 0) this.#add(histogram, [{ tag: histogram.name, histogram }])
  }

  image(image: GraphEvents['image']): void {
    this.#add(image, [{ tag: image.name, image: { ...image, png: pngOf(image) } }])
  }

  text(text: GraphEvents['text']): void {
    this.#add(text, [{ tag: text.name, text: text.text }])
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.flush()))
  }

  async close(failed: boolean): Promise<void> {
    const time = Date.now()
    this.#file('').add(time, 0, [{ tag: '_hparams_/session_end_info', hparams: sessionEnd(failed, time) }])
    await Promise.all([...this.#files.values()].map((file) => file.close()))
  }

  #add(place: Place, summaries: readonly Summary[]): void {
    if (summaries.length > 0) this.#file(curveOf(place)).add(place.time, place.step, summaries)
  }

  #file(name: string): EventFile {
    const found = this.#files.get(name)
    if (found !== undefined) return found
    const file = new EventFile(join(this.#folder, name), this.#time)
    this.#files.set(name, file)
    return file
  }
}

// TensorBoard draws one curve for each folder, so training has one whatever its tags, and evaluations one for each selection of nodes.
function curveOf({ training, tags }: Pick<Place, 'training' | 'tags'>): string {
  const name = tags
    .filter((tag) => tag !== '*')
    .join('_')
    .replace(/[^\w#.-]/g, '_')
  if (training) return 'train'
  return name === '' ? 'eval' : name === 'train' ? 'eval_train' : name
}

const pngOf = ({ width, height, channels, data }: Pixels): Uint8Array => encode({ width, height, channels, data })
