// Lanes: stacks of scopes that follow the code which opened them across awaits. Every `tidy` runs in one of its own.
import { AsyncLocalStorage } from 'node:async_hooks'
import { native } from '../backend/index.ts'

/** A stack of scopes of the core, by its number there; 0 is that of code outside every `tidy`. */
export interface Lane {
  readonly number: number
  /** Scopes open in it. */
  open: number
  /** The lane that it goes back to. */
  readonly outer: Lane | undefined
  ended: boolean
}

const main: Lane = { number: 0, open: 0, outer: undefined, ended: false }
const owner = new AsyncLocalStorage<Lane>()
let entered = main

/** Async lanes under way. While there are none, the lane entered is that of the code that runs, and nobody has to ask. */
export let asyncLanes = 0

/** The lane of the code that runs. A handle that it made just now is noted there. */
export function currentLane(handle = 0): Lane {
  if (asyncLanes > 0) {
    const lane = living(owner.getStore() ?? main)
    if (lane !== entered) {
      native.laneEnter(lane.number, handle)
      entered = lane
    }
  }
  return entered
}

/** Code that outlives its lane belongs to the one around. */
function living(lane: Lane): Lane {
  let at = lane
  while (at.ended && at.outer !== undefined) at = at.outer
  return at
}

/** Runs `fn` in a new lane; `survivors` of its result go to the lane around when it ends. */
export function inLane<T>(fn: () => T | Promise<T>, survivors: (result: T, heir: Lane) => Uint32Array): T | Promise<T> {
  const outer = currentLane()
  const lane: Lane = { number: native.laneBegin(), open: 1, outer, ended: false }
  entered = lane
  const end = (handles?: (heir: Lane) => Uint32Array): void => {
    lane.ended = true
    const heir = living(outer)
    native.laneEnd(lane.number, handles?.(heir) ?? new Uint32Array(), heir.number)
    entered = heir
  }
  let result: T | Promise<T>
  try {
    result = owner.run(lane, fn)
  } catch (error) {
    end()
    throw error
  }
  if (!(result instanceof Promise)) {
    const value = result
    end((heir) => survivors(value, heir))
    return value
  }
  asyncLanes++
  native.laneEnter(outer.number, 0)
  entered = outer
  const settle = (handles?: (heir: Lane) => Uint32Array): void => {
    end(handles)
    asyncLanes--
    if (asyncLanes === 0 && entered !== main) {
      native.laneEnter(0, 0)
      entered = main
    }
  }
  return result.then(
    (value) => {
      settle((heir) => survivors(value, heir))
      return value
    },
    (error: unknown) => {
      settle()
      throw error
    },
  )
}
