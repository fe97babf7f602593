// The host of the quick start, whose core is a module: any command can be called, unless the type of the module is given.
import { createBus, type CoreDefinition } from '@sallyport/core'

interface Commands {
  greet: (args: { name: string }) => string
}

const module = new URL('./core.js', import.meta.url)
const bus = await createBus({ core: module, log: undefined, frontends: { main: { module, sandbox: undefined } } })
const client = await bus.connect('me')
console.log(await client.invoke('greet', { name: 'World' }), await bus.call('main', 'run'))
await bus.close()

const typed = await (await createBus<CoreDefinition<Commands>>({ core: module })).connect('me')
const greeting: string = await typed.invoke('greet', { name: 'World' })
// @ts-expect-error: there is no such command
console.log(greeting, await typed.invoke('gret', { name: 'World' }))
