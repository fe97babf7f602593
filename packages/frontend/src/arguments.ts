// Makes a caller's arguments ready for the wire. Only the top level is looked at: bytes and channels are found there, and
// nothing has to be walked.
import {
  BusError,
  channelReference,
  describeCommand,
  describeThrown,
  isBytes,
  type CallHeaders,
} from '@sallyport/protocol'
import { Channel } from './channel.js'

export interface PreparedArguments {
  /** An object, bytes, or `undefined` for none. */
  params: unknown
  /** Bytes are among them, so they need the msgpack lane. */
  hasBytes: boolean
}

/** Named arguments of a command, or bytes as its whole body. */
export type CommandArguments = Readonly<Record<string, unknown>> | Uint8Array | ArrayBuffer

/**
 * @param channels takes the channels among the arguments, also where this throws
 * @throws BusError `InvalidParams` where `args` is neither an object of named arguments nor bytes, or can't be read
 */
export function prepareArguments(command: string, args: unknown, channels: Channel[]): PreparedArguments {
  if (args === undefined || args === null) return { params: undefined, hasBytes: false }
  if (isBytes(args)) return { params: args, hasBytes: true }
  // Lists, maps and promises that somebody forgot to await would all arrive as an object without a name in it.
  if (typeof args !== 'object' || Symbol.iterator in args || typeof (args as { then?: unknown }).then === 'function') {
    const kind = typeof args === 'object' ? `a ${Object.prototype.toString.call(args).slice(8, -1)}` : typeof args
    const given = Array.isArray(args) ? 'an array' : kind
    throw new BusError(
      'InvalidParams',
      `Arguments of ${describeCommand(command)} must be an object of named arguments, or bytes: got ${given}`,
    )
  }
  const named = args as Record<string, unknown>
  const names = Object.keys(named)
  let hasBytes = false
  for (const name of names) {
    const value = read(command, named, name)
    if (typeof value !== 'object' || value === null) continue
    if (isBytes(value)) hasBytes = true
    if (value instanceof Channel) channels.push(value)
  }
  if (channels.length === 0) return { params: args, hasBytes }
  const copy: Record<string, unknown> = {}
  for (const name of names) {
    const value = read(command, named, name)
    copy[name] = value instanceof Channel ? channelReference(value.renew()) : value
  }
  return { params: copy, hasBytes }
}

export function checkCommandName(command: unknown): void {
  if (typeof command === 'string' && command !== '') return
  throw new BusError(
    'InvalidParams',
    `A command’s name must be a non-empty string: got ${command === '' ? '""' : typeof command}`,
  )
}

function read(command: string, args: Record<string, unknown>, key: string): unknown {
  try {
    return args[key]
  } catch (cause) {
    const what = `The argument ${JSON.stringify(key)} of ${describeCommand(command)}`
    throw new BusError('InvalidParams', `${what} can’t be read: ${describeThrown(cause)}`, { cause })
  }
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
