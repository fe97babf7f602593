// The core module of the bus's arms: what raw-echo.ts does over a bare port, as commands.
import { defineCore, type App, type Channel, type CommandContext, type CoreDefinition } from '@sallyport/core'
import { BACKEND_EVENT, echo, EVENT_PAYLOAD, FRONTEND_EVENT, greet, progress } from './handlers.js'

let events = 0

const commands = {
  greet,
  echo,
  echo_bytes: (_: unknown, { request }: CommandContext): unknown => request.body,
  burst: ({ count }: { count: number }, { app }: CommandContext): void => {
    for (let sent = 0; sent < count; sent++) app.emit(BACKEND_EVENT, EVENT_PAYLOAD)
  },
  seen: (): number => {
    const seen = events
    events = 0
    return seen
  },
  download: async ({ count, channel }: { count: number; channel: Channel }): Promise<void> => {
    for (let chunk = 0; chunk < count; chunk++) await channel.send(progress(chunk))
  },
}

const core: CoreDefinition = defineCore({
  commands,
  setup: (app: App): void => void app.listen(FRONTEND_EVENT, () => events++),
})

// A core module is its default export.
// oxlint-disable-next-line import/no-default-export
export default core
