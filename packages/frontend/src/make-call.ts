// Makes a call over a link: its arguments are made ready, and the channels among them are its own from then on.
import { checkOptionNames, traceCaller, type BusError, type CodecName } from '@sallyport/protocol'
import { channelsAmong, checkCommandName, prepareArguments } from './arguments.js'
import type { Channel } from './channel.js'
import type { Connection, TracedCall } from './connection.js'
import { finish } from './open-channels.js'
import { OPTIONS_OF, type InvokeOptions } from './options.js'
import { invokes } from './tracing.js'

/** Whose call it is. */
export interface Caller {
  readonly label: string
  readonly codec: CodecName
}

/**
 * Gives its id.
 *
 * @param stream where the values of a stream are to come
 */
export function call(
  core: Connection,
  { label, codec }: Caller,
  command: string,
  args: unknown,
  resolve: (result: unknown) => void,
  reject: (error: BusError) => void,
  options: InvokeOptions | undefined,
  stream: Channel | undefined,
): number {
  checkCommandName(command)
  if (!invokes.hasSubscribers) return makeCall(core, command, args, resolve, reject, options, stream)
  const id = core.pending.takeId()
  const trace = { label, command, id, codec, stream: stream !== undefined }
  return traceCaller(invokes, trace, resolve, reject, (...settle) =>
    makeCall(core, command, args, ...settle, options, stream, trace),
  )
}

/** @param traced the id that it is to have, and its trace context */
function makeCall(
  core: Connection,
  command: string,
  args: unknown,
  resolve: (result: unknown) => void,
  reject: (error: BusError) => void,
  options: InvokeOptions | undefined,
  stream: Channel | undefined,
  traced?: TracedCall,
): number {
  try {
    if (options !== undefined) checkOptionNames(command, options, OPTIONS_OF.call)
    const { params, hasBytes, channels } = prepareArguments(command, args)
    if (channels.length === 0) return core.request(command, params, hasBytes, resolve, reject, options, stream, traced)
    const mine = core.channels.unused(channels)
    const failed = (error: BusError): void => {
      finish(mine)
      reject(error)
    }
    const id = core.request(command, params, hasBytes, resolve, failed, options, stream, traced)
    for (const channel of mine) core.channels.adopt(channel, id)
    return id
  } catch (error) {
    finish(core.channels.unused(channelsAmong(args)))
    throw error
  }
}
