// How long a caller waits, on either side of the bus, and the checks that options are what they should be.
import { setMaxListeners } from 'node:events'
import { BusError, describeCommand } from '../errors/bus-error.js'
import { isThenable } from '../util/promise.js'

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

/** Calls `giveUp` when the deadline has passed or the signal aborts. Gives what ends that, where there is anything to end. */
export function watchDeadline(
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

// The arguments of a call have names, unless they are bytes: what else a caller may give by mistake is refused where it calls.

/** @throws BusError `InvalidParams` where arguments that are no bytes have no names */
export function checkNamedArguments(command: string, args: unknown): asserts args is Record<string, unknown> {
  // Lists, maps and promises that somebody forgot to await would all arrive as an object without a name in it.
  const isObject = typeof args === 'object' && args !== null
  if (isObject && !(Symbol.iterator in args) && !isThenable(args)) return
  const kind = isObject ? `a ${Object.prototype.toString.call(args).slice(8, -1)}` : typeof args
  const given = Array.isArray(args) ? 'an array' : isThenable(args) ? `${kind}: is an \`await\` missing?` : kind
  throw new BusError(
    'InvalidParams',
    `Arguments of ${describeCommand(command)} must be an object of named arguments, or bytes: got ${given}`,
  )
}

// The text of a question that a person is asked, whoever asks it: a hook or a command.

/** In UTF-16 code units: what is longer is cut, and ends with `…`. */
export const MAX_CONFIRM_TEXT = 4096

/**
 * The question as text. Whoever asks puts what the frontend sent into it, and the host may print it: control characters
 * (other than line breaks and tabs) and the marks that reorder text are replaced, so that it can't repaint a terminal.
 */
export function toConfirmText(message: unknown): string {
  let text = ''
  try {
    text = message === undefined ? '' : String(message)
  } catch {
    // A toString that throws: the question stays empty.
  }
  if (text.length > MAX_CONFIRM_TEXT) text = `${text.slice(0, MAX_CONFIRM_TEXT - 1)}…`
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\uFFFD')
}
