// The core module of the bus's arms: the commands that `answer` serves over a bare port.
import { type CommandContext, type CoreDefinition, defineCore } from '@sallyport/core'
import { echo, greet } from '../loops/peers.js'

const core: CoreDefinition = defineCore({
  commands: { greet, echo, echo_bytes: (_: unknown, { request }: CommandContext): unknown => request.body },
})

// A core module is its default export.
// oxlint-disable-next-line import/no-default-export
export default core
