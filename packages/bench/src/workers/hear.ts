// Listens to the bus's diagnostics channels in this thread, and does the least that a subscriber can: it counts.
import { subscribe } from 'node:diagnostics_channel'

const HAPPENINGS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const

/** How often each has been told of. */
export type Heard = Record<(typeof HAPPENINGS)[number], number>

/** @param traced `invoke` in a frontend, `command` in core */
export function hear(traced: 'invoke' | 'command'): Readonly<Heard> {
  const heard: Heard = { start: 0, end: 0, asyncStart: 0, asyncEnd: 0, error: 0 }
  for (const happening of HAPPENINGS) subscribe(`tracing:sallyport.${traced}:${happening}`, () => heard[happening]++)
  return heard
}
