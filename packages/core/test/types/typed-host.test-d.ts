// The client of the host in an editor: the core that `createBus` is given types it.
import { expectTypeOf, test } from 'vitest'
import { type Bus, type Client, command, createBus, defineCore, plugin } from '../../src/index.js'

const core = defineCore({
  commands: {
    greet: ({ name }: { name: string }) => `Hello, ${name}!`,
    now: () => new Date(),
    async *count({ to }: { to: number }) {
      for (let n = 1; n <= to; n++) yield n
    },
    wipe: command({}, () => null),
  },
  plugins: [plugin('fs', { commands: { read: ({ path }: { path: string }) => path.length } })],
})
const events = defineCore<{ events: { done: { ms: number } }; frontends: { main: { run(): Promise<number> } } }>()({
  commands: { add: ({ a, b }: { a: number; b: number }) => a + b },
})
const module = new URL('file:///core.js')

test('a definition types the clients of connect', async () => {
  const client = await (await createBus({ core })).connect('me')
  expectTypeOf(client.invoke('greet', { name: 'x' }, { timeout: 5 })).resolves.toEqualTypeOf<string>()
  expectTypeOf(client.invoke('plugin:fs|read', { path: 'x' })).resolves.toEqualTypeOf<number>()
  expectTypeOf(client.invoke('now')).resolves.toEqualTypeOf<string>()
  expectTypeOf(client.stream('count', { to: 3 }).next()).resolves.toEqualTypeOf<IteratorResult<number, void>>()
  expectTypeOf(client.label).toEqualTypeOf<string>()
  // @ts-expect-error no such command
  void client.invoke('gret', { name: 'x' })
  // @ts-expect-error name is a string
  void client.invoke('greet', { name: 1 })
  // @ts-expect-error the arguments are missing
  void client.invoke('greet')
  // @ts-expect-error greet returns one value
  client.stream('greet', { name: 'x' })
})

test('a definition types its events and frontends too, and may have options beside it', async () => {
  for (const bus of [await createBus({ core: events }), await createBus({ core: { module: events } })]) {
    expectTypeOf(bus.call('main', 'run')).resolves.toEqualTypeOf<number>()
    void bus.once('done', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ ms: number }>())
    const client = await bus.connect('me')
    expectTypeOf(client.invoke('add', { a: 1, b: 2 })).resolves.toEqualTypeOf<number>()
    void client.listen('done', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ ms: number }>())
    // @ts-expect-error no such event
    void client.emit('dnoe')
    // @ts-expect-error no such frontend
    void bus.call('mian', 'run')
  }
})

test('the codec decides about results', async () => {
  const client = await (await createBus({ core, codec: 'msgpack' })).connect('me')
  expectTypeOf(client.invoke('now')).resolves.toEqualTypeOf<Date>()
})

test('a module has the type that createBus is given, or none', async () => {
  const typed = await (await createBus<typeof core>({ core: module })).connect('me')
  expectTypeOf(typed.invoke('greet', { name: 'x' })).resolves.toEqualTypeOf<string>()
  // @ts-expect-error no such command
  void typed.invoke('gret')
  const bus = await createBus({ core: module })
  expectTypeOf(bus).toEqualTypeOf<Bus>()
  const client = await bus.connect('me')
  expectTypeOf(client.invoke('any', { value: 1 })).resolves.toEqualTypeOf<unknown>()
  expectTypeOf(client.invoke<number>('any')).resolves.toEqualTypeOf<number>()
})

test('every bus is a Bus, and every client a Client, which calls any command', async () => {
  const bus = await createBus({ core })
  const any: Bus = bus
  const client: Client = await bus.connect('me')
  expectTypeOf(client.invoke<string>('plugin:path|join')).resolves.toEqualTypeOf<string>()
  expectTypeOf(any.call<number>('main', 'run')).resolves.toEqualTypeOf<number>()
})

test('a wrong option is an error at that option, and undefined is none', async () => {
  const bus = await createBus({ core: events, log: undefined, frontends: { main: { module, sandbox: undefined } } })
  const untyped = await createBus({ core: module })
  void bus.call('main', 'run', undefined, {
    // @ts-expect-error a time is a number
    timeout: '5s',
  })
  void untyped.call('main', 'run', undefined, {
    // @ts-expect-error a time is a number
    timeout: '5s',
  })
  untyped.stream('main', 'count', undefined, {
    // @ts-expect-error a signal is an AbortSignal
    signal: 5,
  })
  void createBus({
    core,
    // @ts-expect-error no such level
    log: 'loud',
  })
})
