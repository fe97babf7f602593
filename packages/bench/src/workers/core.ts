// The core module of the bus's arms: the commands that `answerRaw` answers over a bare port.
import { type Channel, type CommandContext, type CoreDefinition, defineCore } from '@sallyport/core'
import { echo, greet, progress } from '../loops/peers.js'

const commands = {
  greet,
  echo,
  echo_bytes: (_: unknown, { request }: CommandContext): unknown => request.body,
  download: async ({ count, channel }: { count: number; channel: Channel }): Promise<void> => {
    for (let chunk = 0; chunk < count; chunk++) await channel.send(progress(chunk))
  },
}

const core: CoreDefinition = defineCore({ commands })

// A core module is its default export.
// oxlint-disable-next-line import/no-default-export
export default core
