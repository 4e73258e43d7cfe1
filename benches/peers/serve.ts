// The peer's end of the pipe: opens a case, times it when asked, closes it. One JSON message a line; torch_bench.py speaks the same.
import { createInterface } from 'node:readline'
import type { Case } from './cases.ts'

/** A case made ready. */
export interface Opened {
  /** One unit of work. */
  readonly step: () => unknown
  /** Waits for work that was only queued. */
  readonly flush?: () => unknown
  /** Losses of the first steps, so that all peers can be seen to do the same work. */
  readonly check?: readonly number[]
  readonly close?: () => void
}

/** How a peer opens each kind of case it can do. */
export type Kinds = { readonly [K in Case['kind']]?: (work: Extract<Case, { kind: K }>, variant?: string) => Opened }

type Message =
  | { readonly do: 'open'; readonly case: Case; readonly variant?: string }
  | { readonly do: 'time'; readonly ms: number }
  | { readonly do: 'close' }

const WARM_MS = 300
const BRIEF_MS = 60
const SAMPLE_MS = 4

/** Answers messages until the pipe closes. */
export async function serve(info: object, kinds: Kinds): Promise<void> {
  send(info)
  let open: Opened | undefined
  let repeat = 1
  for await (const line of createInterface({ input: process.stdin })) {
    const message: Message = JSON.parse(line)
    try {
      if (message.do === 'open') {
        open = openCase(kinds, message.case, message.variant)
        repeat = await warm(open, message.case.kind === 'large' ? BRIEF_MS : WARM_MS)
        send({ check: open.check ?? null, repeat })
      } else if (message.do === 'time' && open) {
        const samples: number[] = []
        const end = performance.now() + message.ms
        do samples.push((await sample(open, repeat)) / repeat)
        while (performance.now() < end)
        send({ samples })
      } else {
        open?.close?.()
        open = undefined
        send({ rss: process.memoryUsage().rss })
      }
    } catch (error) {
      send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }
}

function openCase(kinds: Kinds, work: Case, variant?: string): Opened {
  const open = (): Opened | undefined => {
    switch (work.kind) {
      case 'mul':
        return kinds.mul?.(work, variant)
      case 'adamw':
      case 'sgd':
        return kinds[work.kind]?.(work, variant)
      case 'mlp':
        return kinds.mlp?.(work, variant)
      case 'convnet':
        return kinds.convnet?.(work, variant)
      case 'gpt':
        return kinds.gpt?.(work, variant)
      case 'large':
        return kinds.large?.(work, variant)
    }
  }
  const opened = open()
  if (opened === undefined) throw new Error(`cannot do ${work.kind}`)
  return opened
}

/** Runs until compiled and warm, then finds how many steps fill a sample. */
async function warm(open: Opened, ms: number): Promise<number> {
  for (const end = performance.now() + ms; performance.now() < end;) await sample(open, 1)
  let repeat = 1
  while ((await sample(open, repeat)) < SAMPLE_MS) repeat *= 2
  return repeat
}

async function sample({ step, flush }: Opened, repeat: number): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < repeat; i++) step()
  if (flush) await flush()
  return performance.now() - start
}

function send(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
