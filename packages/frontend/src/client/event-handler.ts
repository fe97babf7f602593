// What handles an event, and what becomes of what it throws.
import { BusError, type BusEvent, describeName } from '@sallyport/protocol'

/** What it returns is not looked at. */
export type EventHandler<T = unknown> = (event: BusEvent<T>) => unknown

/** @throws BusError `InvalidParams` */
export function checkHandler(event: string, handler: unknown): void {
  if (typeof handler === 'function') return
  throw new BusError(
    'InvalidParams',
    `The handler of event ${describeName(event)} must be a function: got ${typeof handler}`,
  )
}
