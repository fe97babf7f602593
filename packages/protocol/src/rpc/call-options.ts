// Deadlines and cancellation of a call, and the checks of call options, on either side of the bus.
import { allowManyListeners, IS_NODE, isDevelopment, queueMicrotask, warn } from '#platform'
import { BusError, describeCommand, describeName } from '../errors/bus-error.js'
import { createUnknownOptionError, suggestOption } from '../errors/options.js'
import { deadline } from '../util/timers.js'
import { getTypeName, isError, isPlainObject } from '../util/type-guards.js'

/** Cancellation and deadline of what has no items: of waiting for an event, or for calls of several frontends. */
export interface WaitOptions {
  /** Aborting it rejects the promise with `Cancelled`. `AbortSignal.timeout` rejects it with `Timeout`. */
  signal?: AbortSignal | undefined
  /** Milliseconds until the promise rejects with `Timeout`; `false` for no timeout. */
  timeout?: number | false | undefined
}

/** Cancellation and deadline of a call. */
export interface CallOptions {
  /** Aborting it rejects the call with `Cancelled`, and notifies the other side. `AbortSignal.timeout` rejects it with `Timeout`. */
  signal?: AbortSignal | undefined
  /**
   * Milliseconds until the call rejects with `Timeout`; `false` for no timeout. `{ idle: 5000 }` rejects it when none of its channels and
   * streams has had an item for so long.
   *
   * @default `calls.timeout` of the bus for a call to a frontend, `calls.commandTimeout` for a call to core
   */
  timeout?: number | false | IdleTimeout | undefined
}

/** Options of all that can carry bytes: a call, an event, a message of a channel. */
export interface TransferOptions {
  /**
   * Buffers to transfer rather than copy, as in `postMessage`. Each must be the buffer of the whole arguments, payload or message, or
   * of one of its top-level members. They are detached here, and only the bytes of their views arrive.
   */
  transfer?: readonly ArrayBufferLike[] | undefined
}

/** Returns the error of a call whose signal aborted: `Timeout` if a deadline aborted it, such as that of `AbortSignal.timeout`. */
export function createAbortError(subject: string, signal: AbortSignal | undefined): BusError {
  const cause: unknown = signal?.reason
  const isLate = isError(cause) && cause.name === 'TimeoutError'
  const text = isLate ? 'took longer than the timeout of its signal' : 'was cancelled'
  return new BusError(isLate ? 'Timeout' : 'Cancelled', `${subject} ${text}`, { cause })
}

/**
 * @param args the arguments, if options are the parameter after them
 * @param describe - called for an error alone: each call is checked
 * @throws {BusError} InvalidParams if `options` is not an object, or has a member that is not in `known`
 */
export function checkOptionNames(
  name: string,
  options: unknown,
  known: ReadonlySet<string>,
  args?: unknown,
  describe: (name: string) => string = describeCommand,
): void {
  if (options === undefined) return warnAboutArguments(name, args, known, describe)
  if (typeof options !== 'object' || options === null) {
    throw new BusError(
      'InvalidParams',
      `The options of ${describe(name)} must be an object. Pass all arguments as members of one object`,
    )
  }
  for (const option of Object.keys(options)) {
    if (!known.has(option)) throw createUnknownOptionError(describe(name), option, suggestOption(option, known))
  }
}

const warned = new Set<string>()

/** Warns in development, once for each function, that its arguments are named like options. Not in pages. */
function warnAboutArguments(
  name: string,
  args: unknown,
  options: ReadonlySet<string>,
  describe: (name: string) => string,
): void {
  if (!IS_NODE || !isDevelopment() || warned.has(name) || !isPlainObject(args)) return
  const names = Object.keys(args)
  // Headers are as often an argument.
  if (names.length === 0 || names.some(name => name === 'headers' || !options.has(name))) return
  warned.add(name)
  const text = `has only arguments that are named like options (${names.join(', ')})`
  warn(`Call of ${describe(name)} ${text}. Pass options after the arguments, or {} there if these are arguments.`)
}

/**
 * @param canBeIdle - true for a call, which can have items
 * @throws {BusError} InvalidParams if an option has the wrong type; Cancelled or Timeout if the signal is aborted
 */
export function checkDeadline(subject: string, { signal, timeout }: CallOptions, canBeIdle = false): void {
  if (timeout !== undefined && timeout !== false) {
    const isIdle = IS_NODE && canBeIdle && typeof timeout === 'object' && timeout !== null
    if (!(isIdle ? isTimeout(timeout.idle) && Object.keys(timeout).length === 1 : isTimeout(timeout))) {
      const kind = isIdle ? '{ idle: milliseconds }' : 'milliseconds'
      const text = `\`timeout\` of ${subject} must be ${kind}, more than 0 and at most 2147483647, or false for none`
      throw new BusError('InvalidParams', text)
    }
  }
  if (signal === undefined) return
  if (getTypeName(signal) !== 'AbortSignal') {
    throw new BusError('InvalidParams', `\`signal\` of ${subject} must be an AbortSignal`)
  }
  if (signal.aborted) throw createAbortError(subject, signal)
}

/** 0 is refused: it is as often the time that is left as it is meant for no timeout. */
export const isTimeout = (value: unknown): boolean => typeof value === 'number' && value > 0 && value <= 0x7fff_ffff

/** Watches a wait for an event like `watchDeadline`. @throws {BusError} as `checkDeadline` */
export function watchEvent(event: string, options: WaitOptions, abandon: (error: BusError) => void): () => void {
  const subject = `waiting for event ${describeName(event)}`
  checkDeadline(subject, options)
  return watchDeadline(subject, options, abandon)
}

/**
 * Calls `abandon` when the deadline has passed or the signal aborts. Returns a function that stops watching.
 *
 * @param options.timeout - a `CallProgress` if items of the call extend the deadline
 */
export function watchDeadline(
  subject: string,
  { signal, timeout }: { [Name in keyof CallOptions]: CallOptions[Name] | undefined },
  abandon: (error: BusError) => void,
): () => void {
  const onAbort = (): void => abandon(createAbortError(subject, signal))
  const ms = IS_NODE && typeof timeout === 'object' ? false : (timeout as number | false | undefined)
  const onTimeout = (): void => abandon(new BusError('Timeout', `${subject} took longer than ${ms} ms`))
  const stopTimer = ms ? deadline(ms, onTimeout) : undefined
  const stopProgress = IS_NODE && typeof timeout === 'object' ? watchProgress(subject, timeout, abandon) : undefined
  if (signal) {
    allowManyListeners(signal)
    signal.addEventListener('abort', onAbort, { once: true })
  }
  // The `toJSON` of an argument may have aborted the signal after its check.
  if (signal?.aborted) queueMicrotask(onAbort)
  return () => {
    stopTimer?.()
    if (IS_NODE) stopProgress?.()
    signal?.removeEventListener('abort', onAbort)
  }
}

function watchProgress(subject: string, timeout: IdleTimeout, abandon: (error: BusError) => void): () => void {
  const progress = timeout instanceof CallProgress ? timeout : new CallProgress(timeout)
  const text = `${subject} made no progress for ${timeout.idle} ms`
  return progress.watch(() => abandon(new BusError('Timeout', text)))
}

/** A deadline that each item of the call's channels and streams extends. Not in web pages. */
export interface IdleTimeout {
  /** Milliseconds without an item, in either direction, after which the call rejects with `Timeout`. */
  idle: number
}

/** Extends the idle deadline of one call with each item. Items cost the reading of a clock, and set no timer. */
export class CallProgress implements IdleTimeout {
  readonly idle: number
  #lastAt = performance.now()
  readonly #readers: (() => boolean)[] = []
  readonly #ended: (() => void)[] = []

  constructor({ idle }: IdleTimeout) {
    this.idle = idle
  }

  /** Records that an item has passed, or that its reader goes on. */
  record(): void {
    this.#lastAt = performance.now()
  }

  /** @param isAwaited - returns true while the other side waits for the reader of items: that time does not count */
  addReader(isAwaited: () => boolean): void {
    this.#readers.push(isAwaited)
  }

  /** Calls `ended` once the deadline is no longer watched. */
  onEnd(ended: () => void): void {
    this.#ended.push(ended)
  }

  /** Calls `expired` when nothing has passed for too long. Returns a function that stops watching. */
  watch(expired: () => void): () => void {
    const check = (): void => {
      if (this.#readers.some(isAwaited => isAwaited())) this.record()
      const left = this.#lastAt + this.idle - performance.now()
      if (left > 0) end = deadline(Math.ceil(left), check)
      else expired()
    }
    this.record()
    let end = deadline(this.idle, check)
    return () => {
      end()
      for (const ended of this.#ended.splice(0)) ended()
    }
  }
}

/** Returns the progress of a call whose options have an idle deadline. It is the `timeout` to watch. */
export const createProgress = (timeout: number | false | IdleTimeout | undefined): CallProgress | undefined =>
  typeof timeout === 'object' ? new CallProgress(timeout) : undefined
