// Spans of time as a trace that browsers draw: the Trace Event Format, complete events,
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU

/** Something that took time. */
export interface Span {
  readonly name: string
  /** What sort of thing, by which a viewer can filter. */
  readonly kind: string
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly begin: number
  readonly ms: number
  /** Shown when the span is selected. */
  readonly facts: Readonly<Record<string, string | number>>
}

/** The trace as JSON, an event a line. @param left spans that are not in it */
export function traceOf(spans: readonly Span[], left: number): string {
  const process = { ph: 'M', name: 'process_name', pid: 1, tid: 1, args: { name: 'firn' } }
  const events = spans.map(({ name, kind, begin, ms, facts }) => {
    return { ph: 'X', name, cat: kind, pid: 1, tid: 1, ts: microseconds(begin), dur: microseconds(ms), args: facts }
  })
  const lines = [process, ...events].map((event) => JSON.stringify(event)).join(',\n')
  return `{"displayTimeUnit":"ms","otherData":{"spansLeftOut":${left}},"traceEvents":[\n${lines}\n]}\n`
}

// The format's unit; nanoseconds behind the point.
const microseconds = (ms: number): number => Math.round(ms * 1e6) / 1e3
