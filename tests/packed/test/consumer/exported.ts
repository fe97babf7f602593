// Exports of a library. Its declarations name the types that the packages infer, by their public entries.
import { command, createBus, defineCore, stateKey } from '@sallyport/core'
import { explainCapabilities } from '@sallyport/core/acl'
import { createTestBus, runHook } from '@sallyport/core/testing'
import { createClient, expose } from '@sallyport/frontend'
import core from './core.js'

export const api = createClient<typeof core>()
export const { invoke, stream, listen, once, emit, emitTo } = api
export const { once: waitFor } = createClient<typeof core, { events: { saved: Date }; codec: 'msgpack' }>()
export const greeting = api.invoke('greet', { name: 'World' })
export const lines = api.stream('lines')
export class Notes {
  readonly client = createClient<typeof core>()
  readonly invoke = this.client.invoke
}
export const exposed = expose({ transform: ({ src }: { src: string }) => src.toUpperCase() })
export const bus = await createBus<{ frontends: { main: typeof exposed } }>({ core })
export const { call, close, connect, open, openInspector, on, onTransition } = bus
export const main = bus.frontend('main')
export const anyFrontend = (await createBus({ core })).frontend('main')
export const outcome = runHook('dist-isolation', { cmd: 'greet' })
export const transformed = bus.call('main', 'transform', { src: '' })
export const connected = createClient<typeof core>(await bus.connect('me'))
export const stats = await bus.stats()
export const { client, calls } = await createTestBus(core)
export const explained = await explainCapabilities({ core })
export const settings = stateKey<{ theme: string }>('settings')
export const count = command({ thread: new URL('./count.js', import.meta.url) })
export const lights = defineCore({ commands: { count } })
export default core
