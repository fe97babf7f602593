// Makes a caller's arguments ready for the wire. Only the top level is looked at: bytes and channels are found there, and
// nothing has to be walked.
import {
  BusError,
  channelReference,
  checkNamedArguments,
  describeCommand,
  describeName,
  describeThrown,
  holdsBytes,
  isBusError,
  isBytes,
  notSerializable,
} from '@sallyport/protocol'
import { Channel } from './channel.js'

interface PreparedArguments {
  /** An object, bytes, or `undefined` for none. */
  params: unknown
  /** Bytes are among them, so they need the msgpack lane. */
  hasBytes: boolean
  channels: readonly Channel[]
}

/** Named arguments of a command, or bytes as its whole body. */
export type CommandArguments = Readonly<Record<string, unknown>> | Uint8Array | ArrayBuffer

const NO_CHANNELS: readonly Channel[] = []

/** @throws BusError `InvalidParams` where `args` is neither an object of named arguments nor bytes, or can't be read */
export function prepareArguments(command: string, args: unknown): PreparedArguments {
  try {
    return prepare(command, args)
  } catch (cause) {
    if (isBusError(cause)) throw cause
    const why = describeThrown(cause)
    throw new BusError('InvalidParams', `Arguments of ${describeCommand(command)} can’t be read: ${why}`, { cause })
  }
}

function prepare(command: string, args: unknown): PreparedArguments {
  if (args === undefined || args === null) return { params: undefined, hasBytes: false, channels: NO_CHANNELS }
  if (isBytes(args)) return { params: args, hasBytes: true, channels: NO_CHANNELS }
  checkNamedArguments(command, args)
  const named: Record<string, unknown> = args
  let hasBytes = false
  let hasChannels = false
  for (const value of getValues(command, named)) {
    if (typeof value !== 'object' || value === null) continue
    if (isBytes(value)) hasBytes = true
    else if (value instanceof Channel) hasChannels = true
    else if (value instanceof Promise) throw unawaited(command, named)
  }
  if (!hasChannels) return { params: args, hasBytes, channels: NO_CHANNELS }
  return { ...referToChannels(command, named), hasBytes }
}

/** The same arguments with what refers to a channel in its place. */
function referToChannels(command: string, args: Record<string, unknown>): { params: unknown; channels: Channel[] } {
  const params: Record<string, unknown> = {}
  const channels: Channel[] = []
  for (const name of Object.keys(args)) {
    const value = read(command, args, name)
    if (value instanceof Channel) channels.push(value)
    params[name] = value instanceof Channel ? channelReference(value.renew()) : value
  }
  return { params, channels }
}

function unawaited(command: string, args: Record<string, unknown>): BusError {
  const name = Object.keys(args).find(key => read(command, args, key) instanceof Promise) ?? ''
  const what = `The argument ${JSON.stringify(name)} of ${describeCommand(command)}`
  return new BusError('InvalidParams', `${what} is a Promise: is an \`await\` missing?`)
}

/** The channels of a call that can't be made, whatever is wrong with its other arguments. */
export function channelsAmong(args: unknown): Channel[] {
  const channels: Channel[] = []
  if (typeof args !== 'object' || args === null) return channels
  try {
    if (isBytes(args)) return channels
    for (const name of Object.keys(args)) {
      const { value } = Object.getOwnPropertyDescriptor(args, name) ?? {}
      if (value instanceof Channel) channels.push(value)
    }
  } catch {
    // A proxy that does not tell what it has.
  }
  return channels
}

/** @throws BusError `InvalidParams` for an event’s payload that can’t be carried, as far as is seen at its top level */
export function payloadHoldsBytes(event: string, payload: unknown): boolean {
  try {
    return holdsBytes(payload)
  } catch (cause) {
    throw notSerializable(`The payload of event ${describeName(event)}`, 'InvalidParams', cause, payload)
  }
}

export function checkCommandName(command: unknown): void {
  if (typeof command === 'string' && command !== '') return
  throw new BusError(
    'InvalidParams',
    `A command’s name must be a non-empty string: got ${command === '' ? '""' : typeof command}`,
  )
}

/** All at once, which costs a third of one by one; one by one where that fails, to name the argument. */
function getValues(command: string, args: Record<string, unknown>): unknown[] {
  try {
    return Object.values(args)
  } catch {
    return Object.keys(args).map(name => read(command, args, name))
  }
}

function read(command: string, args: Record<string, unknown>, key: string): unknown {
  try {
    return args[key]
  } catch (cause) {
    const what = `The argument ${JSON.stringify(key)} of ${describeCommand(command)}`
    throw new BusError('InvalidParams', `${what} can’t be read: ${describeThrown(cause)}`, { cause })
  }
}
