// The options of calls, listeners and events, and the checks that they are valid.
import { BusError, describeCommand, describeThrown } from '@sallyport/protocol/internal/errors'
import { checkDeadline, checkOptionNames } from '@sallyport/protocol/internal/message'
import { checkTransfer } from '@sallyport/protocol/internal/rpc'
import type {
  CallHeaders,
  CallOptions,
  EventTarget,
  TransferOptions,
  WaitOptions,
} from '@sallyport/protocol/internal/message'

/** Options of a call: of `invoke` and `stream`. */
export interface InvokeOptions extends CallOptions, TransferOptions {
  /** Metadata in addition to the arguments, as in HTTP. The handler reads it as `ctx.request.headers`. */
  headers?: CallHeaders
}

/** Options of a listener. */
export interface ListenOptions extends WaitOptions {
  /** The listener receives events for this target: a label, or one of Tauri's targets. @default { kind: 'Any' } */
  target?: string | EventTarget
}

/** The names of the options that each kind of call takes. */
export const OPTION_NAMES: Readonly<Record<'call' | 'listen' | 'emit', ReadonlySet<string>>> = {
  call: new Set(['signal', 'timeout', 'headers', 'transfer']),
  listen: new Set(['signal', 'timeout', 'target']),
  emit: new Set(['transfer']),
}

/** @throws {BusError} `InvalidParams` if an option has the wrong type, `Cancelled` if the signal is aborted */
export function checkCallOptions(method: string, options: InvokeOptions, params: unknown): void {
  const { headers } = options
  checkTransfer(options, params)
  if (headers !== undefined && (typeof headers !== 'object' || headers === null)) {
    throw new BusError('InvalidParams', `\`headers\` of ${describeCommand(method)} must be an object of strings`)
  }
  checkDeadline(describeCommand(method), options, true)
}

/** @throws {BusError} `InvalidParams` if an option is unknown or has the wrong type */
export function checkEmitOptions(method: string, options: TransferOptions, payload: unknown): void {
  checkOptionNames(method, options, OPTION_NAMES.emit)
  checkTransfer(options, payload)
}

/** Converts fetch's `Headers`, or an array of pairs, to an object of strings. */
export function toPlainHeaders(headers: CallHeaders): CallHeaders {
  if (!(Symbol.iterator in headers)) return headers
  try {
    return Object.fromEntries(headers as unknown as Iterable<[string, string]>)
  } catch (cause) {
    const problem = `\`headers\` must be pairs of name and value: ${describeThrown(cause)}`
    throw new BusError('InvalidParams', problem, { cause })
  }
}
