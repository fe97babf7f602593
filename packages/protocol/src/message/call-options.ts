// Deadlines and cancellation of a call, and the checks of call options, on either side of the bus.
import { setMaxListeners } from 'node:events'
import { BusError, describeCommand } from '../errors/bus-error.js'

export interface CallOptions {
  /** Aborting it rejects the call with `Cancelled`, and notifies the other side. */
  signal?: AbortSignal
  /** Milliseconds until the call rejects with `Timeout`. No timeout by default. */
  timeout?: number
}

export const cancelled = (method: string, signal: AbortSignal | undefined): BusError =>
  new BusError('Cancelled', `${describeCommand(method)} was cancelled`, { cause: signal?.reason })

/** @throws {BusError} InvalidParams if `options` is not an object, or has a member that is not in `known` */
export function checkOptionNames(method: string, options: unknown, known: ReadonlySet<string>): void {
  if (typeof options !== 'object' || options === null) {
    throw new BusError('InvalidParams', `The options of ${describeCommand(method)} must be an object`)
  }
  for (const name of Object.keys(options)) {
    if (!known.has(name)) {
      throw new BusError('InvalidParams', `${describeCommand(method)} has no option ${JSON.stringify(name)}`)
    }
  }
}

/** @throws {BusError} InvalidParams if an option has the wrong type; Cancelled if the signal is aborted */
export function checkTimeout(method: string, { signal, timeout }: CallOptions): void {
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 0 && timeout <= 0x7fff_ffff)) {
    throw new BusError(
      'InvalidParams',
      `\`timeout\` of ${describeCommand(method)} must be milliseconds from 0 to 2147483647`,
    )
  }
  if (signal === undefined) return
  if (!(signal instanceof AbortSignal)) {
    throw new BusError('InvalidParams', `\`signal\` of ${describeCommand(method)} must be an AbortSignal`)
  }
  if (signal.aborted) throw cancelled(method, signal)
}

/**
 * Calls `abandon` when the deadline has passed or the signal aborts.
 *
 * @returns a function that stops watching, or `undefined` if there is nothing to watch
 */
export function watchDeadline(
  method: string,
  signal: AbortSignal | undefined,
  timeout: number | undefined,
  abandon: (error: BusError) => void,
): (() => void) | undefined {
  if (signal === undefined && timeout === undefined) return undefined
  const onAbort = (): void => abandon(cancelled(method, signal))
  const onTimeout = (): void =>
    abandon(new BusError('Timeout', `${describeCommand(method)} took longer than ${timeout} ms`))
  const timer = timeout === undefined ? undefined : setTimeout(onTimeout, timeout)
  if (signal) {
    // One signal can serve a thousand calls. Node would warn of a leak.
    setMaxListeners(0, signal)
    signal.addEventListener('abort', onAbort, { once: true })
  }
  // The `toJSON` of an argument may have aborted the signal after its check.
  if (signal?.aborted) queueMicrotask(onAbort)
  return () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
