// How the host begins to hear of what a bus tells: what it gives for that is checked at once, and not as something is told.
import { BusError, describeName } from '@sallyport/protocol'
import type { EventEmitter } from 'node:events'
import { didYouMean } from '../guess.js'
import { BUS_EVENTS, type BusEvents } from './teller.js'

/** @param where `bus.on`: for error texts. @throws BusError `InvalidParams` */
export function hear<Name extends keyof BusEvents>(
  where: string,
  events: EventEmitter,
  name: Name,
  handler: (event: BusEvents[Name]) => void,
  names: ReadonlySet<string> = BUS_EVENTS,
): () => void {
  if (!names.has(name)) {
    const given = String(name)
    throw new BusError('InvalidParams', `${where}: no event ${describeName(given)}${didYouMean(given, names)}`)
  }
  checkFunction(`${where}: the handler`, handler)
  events.on(name, handler)
  return () => void events.off(name, handler)
}

/** @throws BusError `InvalidParams` */
export function checkFunction(what: string, given: unknown): void {
  if (typeof given !== 'function') {
    throw new BusError('InvalidParams', `${what} must be a function: got ${given === null ? 'null' : typeof given}`)
  }
}
