// Checks the arguments of a call and prepares them for the wire. Channels and streams are at the top level: nothing below is inspected.
import { BusError, describeCommand, describeThrown, isBusError } from '@sallyport/protocol/internal/errors'
import { checkNamedArguments, checkOptionNames, isBytes } from '@sallyport/protocol/internal/message'
import { describeArgument, isStream, type ReplacedArguments, type Streams } from '@sallyport/protocol/internal/rpc'
import { isDevelopment, isThenable } from '@sallyport/protocol/internal/util'
import { Channel } from './channel.js'
import { type InvokeOptions, OPTION_NAMES } from './options.js'

export interface PreparedArguments extends Partial<Pick<ReplacedArguments, 'declared' | 'streams'>> {
  /** An object, bytes, or `undefined` if there are no arguments. */
  readonly params: unknown
  /** The channels among the arguments. */
  readonly channels: readonly Channel[] | undefined
}

type NamedArguments = Record<string, unknown>

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
    const named: NamedArguments = args
    let values: unknown[]
    try {
      // All at once, which is three times as fast as one by one.
      values = Object.values(named)
    } catch {
      values = Object.keys(named).map(name => readArgument(command, named, name))
    }
    let mustReplace = false
    for (const value of values) {
      if (typeof value !== 'object' || value === null) continue
      if (value instanceof Channel || isStream(value)) mustReplace = true
      else if (isThenable(value)) throw createPromiseError(command, named)
    }
    if (!mustReplace) return { params: args, channels: undefined }
    const channels: Channel[] = []
    const openChannel = (value: unknown): number | undefined => {
      if (!(value instanceof Channel)) return undefined
      channels.push(value)
      return value.renew()
    }
    return { ...sent.replace(command, named, openChannel), channels }
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

/** @throws {BusError} `InvalidParams`, which names the argument, if a getter throws */
function readArgument(command: string, args: NamedArguments, name: string): unknown {
  try {
    return args[name]
  } catch (cause) {
    const problem = `${describeArgument(command, name)} cannot be read: ${describeThrown(cause)}`
    throw new BusError('InvalidParams', problem, { cause })
  }
}

function createPromiseError(command: string, args: NamedArguments): BusError {
  const name = Object.keys(args).find(key => isThenable(readArgument(command, args, key))) ?? ''
  return new BusError('InvalidParams', `${describeArgument(command, name)} is a Promise: is an \`await\` missing?`)
}

/** Returns the channels among arguments. Never throws: the arguments can be invalid in every other respect. */
export function findChannels(args: unknown): Channel[] {
  const channels: Channel[] = []
  if (typeof args !== 'object' || args === null) return channels
  try {
    if (isBytes(args)) return channels
    for (const name of Object.keys(args)) {
      const { value } = Object.getOwnPropertyDescriptor(args, name) ?? {}
      if (value instanceof Channel) channels.push(value)
    }
  } catch {
    // A proxy that throws.
  }
  return channels
}
