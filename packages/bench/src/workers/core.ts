// The core module of the bus's arms: the commands that `answerRaw` answers over a bare port.
import { defineCore, transfer, type App, type Channel, type CommandContext, type CoreDefinition } from '@sallyport/core'
import * as handlers from '../loops/handlers.js'

let app: App
const backend = handlers.createBackend(() => app.emit)

const commands = {
  ...backend.commands,
  echo_bytes: (_: unknown, { request }: CommandContext): unknown => request.body,
  transfer_back: (_: unknown, { request }: CommandContext): object => transfer(request.body as Uint8Array),
  download: async ({ count, channel }: { count: number; channel: Channel }): Promise<void> => {
    for (let chunk = 0; chunk < count; chunk++) await channel.send(handlers.progress(chunk))
  },
}

const core: CoreDefinition = defineCore({
  commands,
  setup: created => {
    app = created
    app.listen(handlers.FRONTEND_EVENT, backend.countEvent)
  },
})

// A core module is its default export.
// oxlint-disable-next-line import/no-default-export
export default core
