// Messages of a parent process: { firn: 'save' } and the like.
import { type Control, type ControlKind, controlKinds } from './control.ts'

/** Has a run do what a parent process asks for, and answer when that is done. @returns what ends it */
export function heedMessages(control: Control, runId: string): () => void {
  if (process.send === undefined) return () => {}
  const heed = (message: unknown): void => {
    const firn = kindOf(message)
    if (firn === undefined) return
    control.ask(firn, 'message').then(
      (checkpoint) => process.send?.({ firn, runId, checkpoint }),
      (error: unknown) => process.send?.({ firn, runId, error: String(error) }),
    )
  }
  process.on('message', heed)
  return () => process.off('message', heed)
}

function kindOf(message: unknown): ControlKind | undefined {
  if (typeof message !== 'object' || message === null || !('firn' in message)) return undefined
  return controlKinds.find((kind) => kind === message.firn)
}
