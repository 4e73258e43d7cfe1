// What a meter is.
import type { Json } from '../../io/index.ts'

/** Sums up what it is given. */
export interface Meter<In extends readonly unknown[], Out extends Json = Json> {
  /** Forgets everything. */
  reset(): void
  /** Takes the values of one iteration. Waits for the device at most now and then, when many values have piled up there. */
  update(...values: In): void
  /** What the values since `reset` amount to. */
  evaluate(): Promise<Out>
  /** What a checkpoint keeps. */
  stateDict(): Promise<Json>
  /** Takes over what `stateDict` gave. */
  loadStateDict(state: Json): void
}

/** A meter of any kind. */
export type AnyMeter = Meter<readonly unknown[]>
