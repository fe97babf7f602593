// A host of plugins, with streams and events in both directions.
import { type Bus, createBus, defineCore } from '@sallyport/core'

interface Plugin {
  count(args: { to: number }): AsyncGenerator<number>
  title(): Promise<string>
}
interface Types {
  events: { saved: { id: number } }
  frontends: { plugin: Plugin }
}

const core = defineCore<Types>()({
  commands: {
    save: ({ id }: { id: number }, { app }) => app.emit('saved', { id }),
    async *lines({ to }: { to: number }) {
      for (let n = 1; n <= to; n++) yield `line ${n}`
    },
  },
})

export async function run(log: (bus: Bus) => void): Promise<void> {
  const bus = await createBus({ core })
  log(bus)
  const client = await bus.connect('me')
  await client.listen('saved', ({ payload }) => console.log(payload.id.toFixed()))
  await client.invoke('save', { id: 1 })
  for await (const line of client.stream('lines', { to: 3 })) console.log(line.length)
  for await (const n of bus.stream('plugin', 'count', { to: 3 }, { timeout: { idle: 1000 } })) console.log(n.toFixed())
  const title: string = await bus.frontend('plugin').title()
  // @ts-expect-error: there is no such event
  await bus.emit(title)
  await bus.close()
}
