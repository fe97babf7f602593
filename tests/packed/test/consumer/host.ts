// A host and a frontend, in types: what they get is what core gives, and mistakes are found.
import { createBus, isBusError, type BusStats } from '@sallyport/core'
import { createTestBus } from '@sallyport/core/testing'
import { Channel, createClient } from '@sallyport/frontend'
import type core from './core.js'

const bus = await createBus({ core: new URL('./core.js', import.meta.url), log: false })
bus.on('fault', ({ error }) => console.log(error.message))
const stats: BusStats = await bus.stats()
const client = createClient<typeof core>(await bus.connect('me'))
const greeting: string = await client.invoke('greet', { name: 'World' })
const length: number = await client.invoke('plugin:files|read', { name: 'a' })
await client.invoke('count', { to: new Channel<number>() })
for await (const line of client.stream('lines')) console.log(line.length, greeting, length, stats)
// @ts-expect-error: there is no such command
await client.invoke('gret', { name: 'World' }).catch((error: unknown) => isBusError(error, 'MethodNotFound'))
await using made = await createTestBus({ commands: { greet: 'hello' } })
await made.bus.close()
