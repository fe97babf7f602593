// How long a caller waits, on either side of the bus, and the checks that options are what they should be.
import { setMaxListeners } from 'node:events'
import { BusError } from './error.js'
import { describeCommand } from './error.js'

export interface CallOptions {
  /** Aborting it rejects the call with `Cancelled`, and tells the other side. */
  signal?: AbortSignal
  /** Milliseconds until the call rejects with `Timeout`. None by default. */
  timeout?: number
}

export const cancelled = (method: string, signal: AbortSignal | undefined): BusError =>
  new BusError('Cancelled', `${describeCommand(method)} was cancelled`, { cause: signal?.reason })

/** @throws BusError `InvalidParams` where `options` is no object, or has a member that is not `known` */
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

/** @throws BusError `InvalidParams` where one is of the wrong type, `Cancelled` where the signal is aborted */
export function checkPatience(method: string, { signal, timeout }: CallOptions): void {
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

/** Calls `giveUp` when the deadline has passed or the signal aborts. Gives what ends that, where there is anything to end. */
export function watchPatience(
  method: string,
  signal: AbortSignal | undefined,
  timeout: number | undefined,
  giveUp: (error: BusError) => void,
): (() => void) | undefined {
  if (signal === undefined && timeout === undefined) return undefined
  const cancel = (): void => giveUp(cancelled(method, signal))
  const late = (): void => giveUp(new BusError('Timeout', `${describeCommand(method)} took longer than ${timeout} ms`))
  const timer = timeout === undefined ? undefined : setTimeout(late, timeout)
  if (signal) {
    // One signal may well be that of a thousand calls: no leak to be warned of.
    setMaxListeners(0, signal)
    signal.addEventListener('abort', cancel, { once: true })
  }
  // It may have been aborted since it was checked, by the `toJSON` of an argument.
  if (signal?.aborted) queueMicrotask(cancel)
  return () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
  }
}
