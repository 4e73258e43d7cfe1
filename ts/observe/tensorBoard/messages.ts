// TensorBoard's messages in the wire format: the fields of event.proto, summary.proto, graph.proto and the plugins' protos that firn writes, by number.
import { PbfWriter } from 'pbf'
import type { HistogramSummary, SeenNode } from '../../graph/index.ts'

/** A picture that is encoded already. */
export interface EncodedImage {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly png: Uint8Array
}

/** One value under a tag. */
export type Summary = { readonly tag: string } & (
  | { readonly scalar: number }
  | { readonly histogram: HistogramSummary }
  | { readonly image: EncodedImage }
  | { readonly text: string }
  /** `hparams`: a message of the plugin of that name. */
  | { readonly hparams: Uint8Array }
)

/** A record of an event file. */
export type Event = { readonly time: number } & (
  | { readonly fileVersion: string }
  /** Training begins, perhaps anew, at this step: what a file of the folder has from there on is void. */
  | { readonly start: number }
  | { readonly graph: readonly SeenNode[] }
  | { readonly step: number; readonly summaries: readonly Summary[] }
)

/** The bytes of an event; `time` is in milliseconds, TensorBoard's in seconds. */
export function encodeEvent(event: Event): Uint8Array {
  const to = new PbfWriter()
  to.writeDoubleField(1, event.time / 1000)
  if ('fileVersion' in event) {
    to.writeStringField(3, event.fileVersion)
  } else if ('start' in event) {
    to.writeVarintField(2, event.start)
    to.writeMessage(7, (_, log) => log.writeVarintField(1, 1), null)
  } else if ('graph' in event) {
    to.writeBytesField(4, graphDef(event.graph))
  } else {
    to.writeVarintField(2, event.step)
    to.writeMessage(5, (summaries, all) => summaries.forEach((each) => all.writeMessage(1, writeSummary, each)), event.summaries)
  }
  return to.finish()
}

// A GraphDef: a node for each of ours, its class as the operation, its inputs those that it reads.
function graphDef(nodes: readonly SeenNode[]): Uint8Array {
  const to = new PbfWriter()
  for (const node of nodes) to.writeMessage(1, writeNode, node)
  return to.finish()
}

function writeNode({ name, kind, phases, reads }: SeenNode, to: PbfWriter): void {
  to.writeStringField(1, nodeName(name))
  to.writeStringField(2, kind)
  for (const read of reads ?? []) to.writeStringField(3, nodeName(read))
  // An entry of the map of attributes.
  to.writeMessage(
    5,
    (text, entry) => {
      entry.writeStringField(1, 'phases')
      entry.writeMessage(2, (bytes, value) => value.writeBytesField(2, bytes), new TextEncoder().encode(text))
    },
    phases.join(' '),
  )
}

// As inputs, `^name` and `name:0` mean something else.
const nodeName = (name: string): string => name.replace(/[\^:]/g, '_')

function writeSummary(summary: Summary, to: PbfWriter): void {
  to.writeStringField(1, summary.tag)
  if ('scalar' in summary) {
    to.writeFloatField(2, summary.scalar)
  } else if ('histogram' in summary) {
    to.writeMessage(5, writeHistogram, summary.histogram)
  } else if ('image' in summary) {
    to.writeMessage(4, writeImage, summary.image)
  } else if ('text' in summary) {
    to.writeMessage(8, writeText, summary.text)
    to.writeMessage(9, writePlugin, { name: 'text' })
  } else {
    to.writeMessage(9, writePlugin, { name: 'hparams', content: summary.hparams })
  }
}

function writeHistogram({ min, max, count, sum, sumSquares, limits, counts }: HistogramSummary, to: PbfWriter): void {
  for (const [i, value] of [min, max, count, sum, sumSquares].entries()) to.writeDoubleField(i + 1, value)
  to.writePackedDouble(6, [...limits])
  to.writePackedDouble(7, [...counts])
}

function writeImage({ height, width, channels, png }: EncodedImage, to: PbfWriter): void {
  for (const [i, value] of [height, width, channels].entries()) to.writeVarintField(i + 1, value)
  to.writeBytesField(4, png)
}

// A tensor of one string.
function writeText(text: string, to: PbfWriter): void {
  to.writeVarintField(1, 7)
  to.writeMessage(2, (_, shape) => shape.writeMessage(2, (size, dim) => dim.writeVarintField(1, size), 1), null)
  to.writeBytesField(8, new TextEncoder().encode(text))
}

function writePlugin({ name, content }: { readonly name: string; readonly content?: Uint8Array }, to: PbfWriter): void {
  to.writeMessage(
    1,
    (_, data) => {
      data.writeStringField(1, name)
      if (content !== undefined) data.writeBytesField(2, content)
    },
    null,
  )
}
