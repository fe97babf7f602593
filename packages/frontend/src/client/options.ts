// What a call or an event may be given beside its arguments, and the check that nothing else was given.
import {
  BusError,
  type CallHeaders,
  type CallOptions,
  checkOptionNames,
  checkTimeout,
  checkTransfer,
  describeCommand,
  describeThrown,
  type EventTarget,
} from '@sallyport/protocol'

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

/** The names of what each kind of call takes. */
export const OPTIONS_OF: Readonly<Record<'call' | 'listen' | 'emit', ReadonlySet<string>>> = {
  call: new Set(['signal', 'timeout', 'headers', 'transfer']),
  listen: new Set(['signal', 'timeout', 'target']),
  emit: new Set(['transfer']),
}

/** @throws BusError `InvalidParams` where an option is of the wrong type, `Cancelled` where the signal is aborted. */
export function checkCallOptions(method: string, options: InvokeOptions, params: unknown): void {
  const { headers, transfer } = options
  if (transfer !== undefined) checkTransfer(transfer, params)
  if (headers !== undefined && (typeof headers !== 'object' || headers === null)) {
    throw new BusError('InvalidParams', `\`headers\` of ${describeCommand(method)} must be an object of strings`)
  }
  checkTimeout(method, options)
}

/** @throws BusError `InvalidParams` */
export function checkEmitOptions(method: string, options: EmitOptions, payload: unknown): void {
  checkOptionNames(method, options, OPTIONS_OF.emit)
  if (options.transfer !== undefined) checkTransfer(options.transfer, payload)
}

/** A `Headers` of fetch, or a list of pairs, as an object of strings. */
export function plainHeaders(headers: CallHeaders): CallHeaders {
  if (!(Symbol.iterator in headers)) return headers
  try {
    return Object.fromEntries(headers as unknown as Iterable<[string, string]>)
  } catch (cause) {
    throw new BusError('InvalidParams', `\`headers\` are not name and value: ${describeThrown(cause)}`, { cause })
  }
}
