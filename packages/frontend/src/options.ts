// What a call or an event may be given beside its arguments, and the check that nothing else was given.
import { BusError, checkTransfer, describeCommand, type CallHeaders, type EventTarget } from '@sallyport/protocol'

export interface CallOptions {
  /** Aborting it rejects the call with `Cancelled`, and tells core. */
  signal?: AbortSignal
  /** Milliseconds until the call rejects with `Timeout`. None by default. */
  timeout?: number
}

export interface EmitOptions {
  /**
   * Buffers to give away rather than copy, as in `postMessage`: each that of the whole payload, or of one of its top-level
   * members. They are detached here, and only what their view shows of them arrives.
   */
  transfer?: readonly ArrayBufferLike[]
}

export interface InvokeOptions extends CallOptions, EmitOptions {
  /** Beside the arguments, as in HTTP: the handler reads them as `ctx.request.headers`. */
  headers?: CallHeaders
}

export interface ListenOptions extends CallOptions {
  /** Whose events: a label, or one of Tauri's targets. `{ kind: 'Any' }` by default. */
  target?: string | EventTarget
}

export const cancelled = (method: string, signal: AbortSignal | undefined): BusError =>
  new BusError('Cancelled', `${describeCommand(method)} was cancelled`, { cause: signal?.reason })

const OF_CALLS: ReadonlySet<string> = new Set(['signal', 'timeout', 'headers', 'target', 'transfer'])
const OF_EVENTS: ReadonlySet<string> = new Set(['transfer'])

/** @throws BusError `InvalidParams` where an option is unknown or of the wrong type, `Cancelled` where the signal is aborted. */
export function checkCallOptions(method: string, options: InvokeOptions, params: unknown): void {
  checkNames(method, options, OF_CALLS)
  const { signal, timeout, headers, transfer } = options
  if (transfer !== undefined) checkTransfer(transfer, params)
  if (headers !== undefined && (typeof headers !== 'object' || headers === null)) {
    throw new BusError('InvalidParams', `\`headers\` of ${describeCommand(method)} must be an object of strings`)
  }
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

/** @throws BusError `InvalidParams` */
export function checkEmitOptions(method: string, options: EmitOptions, payload: unknown): void {
  checkNames(method, options, OF_EVENTS)
  if (options.transfer !== undefined) checkTransfer(options.transfer, payload)
}

function checkNames(method: string, options: unknown, known: ReadonlySet<string>): void {
  if (typeof options !== 'object' || options === null) {
    throw new BusError('InvalidParams', `The options of ${describeCommand(method)} must be an object`)
  }
  for (const name of Object.keys(options)) {
    if (!known.has(name)) {
      throw new BusError('InvalidParams', `${describeCommand(method)} has no option ${JSON.stringify(name)}`)
    }
  }
}
