// Makes a call over a link: its arguments are made ready, and the channels among them are its own from then on.
import { checkOptionNames, type BusError } from '@sallyport/protocol'
import { channelsAmong, prepareArguments } from './arguments.js'
import type { Channel } from './channel.js'
import type { Connection, TracedCall } from './connection.js'
import { finish } from './open-channels.js'
import { OPTIONS_OF, type InvokeOptions } from './options.js'

/**
 * Gives its id.
 *
 * @param stream where the values of a stream are to come
 * @param traced the id that it is to have, and its trace context
 */
export function makeCall(
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
