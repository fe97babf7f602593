// The handlers of events.
import { BusError, type BusEvent, describeName } from '@sallyport/protocol'

/** The return value is ignored. */
export type EventHandler<T = unknown> = (event: BusEvent<T>) => unknown

/** @throws {BusError} `InvalidParams` */
export function checkHandler(event: string, handler: unknown): void {
  if (typeof handler === 'function') return
  throw new BusError(
    'InvalidParams',
    `The handler of event ${describeName(event)} must be a function: got ${typeof handler}`,
  )
}
