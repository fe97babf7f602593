// The arguments and the options of calls: their checks, and how arguments are prepared for the wire. Channels and streams are at the top level: nothing
// below is inspected.
import { BusError, describeCommand, describeThrown, isBusError, toNames } from '@sallyport/protocol/internal/errors'
import {
  type CallHeaders,
  type CallOptions,
  checkDeadline,
  checkNamedArguments,
  checkOptionNames,
  type EventTarget,
  isBytes,
  type TransferOptions,
  type WaitOptions,
} from '@sallyport/protocol/internal/message'
import {
  checkTransfer,
  describeArgument,
  isStream,
  type ReplacedArguments,
  type Streams,
} from '@sallyport/protocol/internal/rpc'
import { isDevelopment, isThenable } from '@sallyport/protocol/internal/util'
import { Channel } from './channel.js'

export interface PreparedArguments extends Partial<Pick<ReplacedArguments, 'declared' | 'streams'>> {
  /** An object, bytes, or `undefined` if there are no arguments. */
  readonly params: unknown
  /** The channels among the arguments. */
  readonly channels: readonly Channel[] | undefined
}

/**
 * Checks a call's name, options and arguments. Replaces channels and streams by references to them.
 *
 * @param sent - the connection's streams
 * @throws {BusError} `InvalidParams`
 */
export function prepareCall(
  command: string,
  args: unknown,
  options: InvokeOptions | undefined,
  sent: Streams,
): PreparedArguments {
  checkCommandName(command)
  try {
    if (options !== undefined || isDevelopment()) checkOptionNames(command, options, OPTION_NAMES.call, args)
    if (args === undefined || args === null) return { params: undefined, channels: undefined }
    if (isBytes(args)) return { params: args, channels: undefined }
    checkNamedArguments(command, args)
    // All at once, which is three times as fast as one by one.
    const values = Object.values(args)
    let mustReplace = false
    for (let at = 0; at < values.length; at++) {
      const value = values[at]
      if (typeof value !== 'object' || value === null) continue
      if (value instanceof Channel || isStream(value)) mustReplace = true
      else if (isThenable(value)) {
        const subject = describeArgument(command, Object.keys(args)[at]!)
        throw new BusError('InvalidParams', `${subject} is a Promise: is an \`await\` missing?`)
      }
    }
    if (!mustReplace) return { params: args, channels: undefined }
    const channels: Channel[] = []
    const openChannel = (value: unknown): number | undefined => {
      if (!(value instanceof Channel)) return undefined
      channels.push(value)
      return value.renew()
    }
    return { ...sent.replace(command, args, openChannel), channels }
  } catch (cause) {
    if (isBusError(cause)) throw cause
    const problem = `Arguments of ${describeCommand(command)} cannot be read: ${describeThrown(cause)}`
    throw new BusError('InvalidParams', problem, { cause })
  }
}

/** @throws {BusError} `InvalidParams` */
export function checkCommandName(command: unknown): void {
  if (typeof command === 'string' && command !== '') return
  const received = command === '' ? '""' : typeof command
  throw new BusError('InvalidParams', `A command's name must be a non-empty string: got ${received}`)
}

/** Returns the channels among arguments. Never throws: the arguments can be invalid in every other respect. */
export function findChannels(args: unknown): Channel[] {
  try {
    if (typeof args !== 'object' || args === null || isBytes(args)) return []
    const members = Object.values(Object.getOwnPropertyDescriptors(args))
    return members.map(({ value }) => value as unknown).filter(value => value instanceof Channel)
  } catch {
    // A proxy that throws.
    return []
  }
}

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
  call: toNames<InvokeOptions>({ signal: true, timeout: true, headers: true, transfer: true }),
  listen: toNames<ListenOptions>({ signal: true, timeout: true, target: true }),
  emit: toNames<TransferOptions>({ transfer: true }),
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
