// The types of a core in an editor: those of its events and of the functions of frontends, in `app`, in the host and in frontends.
import { createClient, expose } from '@sallyport/frontend'
import { expectTypeOf, test } from 'vitest'
import {
  type App,
  type Bus,
  type BusEvent,
  type BusOptions,
  command,
  type CommandContext,
  createBus,
  defineCore,
  plugin,
  type Unlisten,
} from '../../src/index.js'
import { createTestBus } from '../../src/testing.js'

const exposed = expose({ transform: ({ src }: { src: string }) => src.toUpperCase(), now: () => new Date() })

interface Markdown {
  render(args: { src: string }): Promise<{ html: string }>
}
interface Types {
  events: { progress: { percent: number }; moved: { at: Date }; done: undefined }
  frontends: { main: typeof exposed; md: Markdown; [label: `md-${string}`]: Markdown }
}

const core = defineCore<Types>()({
  commands: {
    greet: ({ name }: { name: string }, ctx) => {
      expectTypeOf(ctx).toEqualTypeOf<CommandContext<Types>>()
      return ctx.app.call('main', 'transform', { src: name })
    },
    add: command({}, (args, ctx: CommandContext<Types>) => {
      ctx.app.emit('progress', { percent: 5 })
      return args
    }),
    untyped: ({ value }) => expectTypeOf(value).toEqualTypeOf<unknown>(),
  },
  plugins: [plugin('fs', { commands: { read: ({ path }: { path: string }) => path } })],
  use: [({ ctx }, next) => (ctx.app.emit('done'), next())],
  setup(app) {
    expectTypeOf(app).toEqualTypeOf<App<Types>>()
  },
})
declare const app: App<Types>
declare const untyped: App
declare const options: BusOptions

test('the commands of a typed core are inferred', () => {
  expectTypeOf(core.commands.greet).parameter(0).toEqualTypeOf<{ name: string }>()
  const client = createClient<typeof core>()
  expectTypeOf(client.invoke('greet', { name: 'x' })).resolves.toEqualTypeOf<string>()
  expectTypeOf(client.invoke('plugin:fs|read', { path: 'x' })).resolves.toEqualTypeOf<string>()
  expectTypeOf({ ...core, plugins: [] }).toExtend<{ '~types'?: Types }>()
})

test('app.emit takes the events of the core', () => {
  app.emit('done')
  app.emit('progress', { percent: 1 })
  app.emitTo('main', 'progress', { percent: 1 })
  app.emitFilter('done', undefined, () => true)
  // @ts-expect-error no such event
  app.emit('dnoe')
  // @ts-expect-error the payload is missing
  app.emit('progress')
  // @ts-expect-error percent is a number
  app.emitTo('main', 'progress', { percent: '1' })
  // @ts-expect-error no such event
  app.emitFilter('dnoe', undefined, () => true)
})

test('app.listen returns a function, and knows the payload as core or a frontend sends it', () => {
  expectTypeOf(app.listen('progress', () => {})).toEqualTypeOf<Unlisten>()
  app.listen('progress', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ percent: number }>())
  app.listen('done', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<null>())
  app.listen('moved', ({ payload }) => expectTypeOf(payload.at).toEqualTypeOf<Date | string>())
  expectTypeOf(app.once('progress')).toEqualTypeOf<Promise<BusEvent<{ percent: number }>>>()
  expectTypeOf(app.once('progress', () => {})).toEqualTypeOf<Unlisten>()
  // @ts-expect-error no such event
  app.listen('dnoe', () => {})
  expectTypeOf(untyped.listen<number>('any', () => {})).toEqualTypeOf<Unlisten>()
  // @ts-expect-error listen returns the function
  untyped.unlisten(5)
})

test('app.call and app.frontend know the functions of frontends', () => {
  expectTypeOf(app.call('main', 'transform', { src: 'x' }, { timeout: false })).resolves.toEqualTypeOf<string>()
  expectTypeOf(app.call('md', 'render', { src: 'x' })).resolves.toEqualTypeOf<{ html: string }>()
  expectTypeOf(app.frontend('main').now()).resolves.toEqualTypeOf<string>()
  expectTypeOf(app.frontend('md-5').render({ src: 'x' }, { timeout: 5 })).resolves.toEqualTypeOf<{ html: string }>()
  expectTypeOf(app.frontend<Markdown>('other').render({ src: 'x' })).resolves.toEqualTypeOf<{ html: string }>()
  // @ts-expect-error no such frontend
  void app.call('mian', 'now')
  // @ts-expect-error no such function
  void app.call('main', 'then')
  // @ts-expect-error src is a string
  void app.frontend('main').transform({ src: 5 })
  // @ts-expect-error no such frontend
  app.frontend('mian')
  // @ts-expect-error no such function
  void app.frontend('main').transfrom({ src: 'x' })
})

const create = () => createBus<typeof core>(options)
declare const bus: Awaited<ReturnType<typeof create>>

test('createBus<typeof core> types the host', () => {
  void bus.emit('progress', { percent: 1 })
  void bus.listen('moved', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ at: string }>())
  expectTypeOf(bus.once('progress')).toEqualTypeOf<Promise<BusEvent<{ percent: number }>>>()
  expectTypeOf(bus.call('md', 'render', { src: 'x' })).resolves.toEqualTypeOf<{ html: string }>()
  expectTypeOf(bus.frontend('main').transform({ src: 'x' })).resolves.toEqualTypeOf<string>()
  const main = bus.frontend('main')
  expectTypeOf<Awaited<typeof main>>().toEqualTypeOf(main)
  // @ts-expect-error no such event
  void bus.emit('dnoe')
  // @ts-expect-error no such frontend
  void bus.call('mian', 'now')
  // @ts-expect-error no such frontend
  bus.frontend('mian')
})

test('createClient<typeof core> types the events of a frontend', () => {
  const client = createClient<typeof core>()
  void client.emit('progress', { percent: 1 })
  void client.listen('moved', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ at: string }>())
  // @ts-expect-error no such event
  void client.emit('dnoe')
})

test('a bus or core without types accepts any label and function', () => {
  const plain = defineCore({ commands: { add: ({ a, b }: { a: number; b: number }) => a + b } })
  const createPlain = () => createBus<typeof plain>(options)
  const any = null as unknown as Awaited<ReturnType<typeof createPlain>>
  void any.emit('any', 5)
  expectTypeOf(any.call('any', 'thing')).resolves.toEqualTypeOf<unknown>()
  const p = any.frontend('any')
  expectTypeOf<Awaited<typeof p>>().toEqualTypeOf(p)
  expectTypeOf(p['transform']!({ src: 'x' }, { timeout: 5 })).resolves.toEqualTypeOf<unknown>()
  expectTypeOf(untyped.frontend<typeof exposed>('p').transform({ src: 'x' })).resolves.toEqualTypeOf<string>()
})

test('a typed core is a definition like any other, whatever it declares', () => {
  type Events = { events: { done: { n: number } } }
  const emitting = defineCore<Events>()({
    commands: {
      async go(_: { x: number }, ctx) {
        ctx.app.emit('done', { n: 1 })
      },
      add: command({}, (_, ctx: CommandContext<Events>) => ctx.app.emit('done', { n: 1 })),
    },
    plugins: [plugin('log', { commands: { add: (_: { n: number }, ctx: CommandContext<Events>) => ctx.label } })],
    use: [({ ctx }, next) => (ctx.app.emit('done', { n: 1 }), next())],
    setup: known => known.emit('done', { n: 1 }),
  })
  const calling = defineCore<{ frontends: { md: Markdown }; codec: 'msgpack' }>()({
    commands: { render: ({ src }: { src: string }, ctx) => ctx.app.call('md', 'render', { src }) },
  })
  for (const definition of [core, emitting, calling]) {
    void createTestBus({ core: definition })
    void createBus({ core: { module: definition } })
  }
  expectTypeOf(createBus<typeof emitting>({ core: emitting })).resolves.toExtend<Bus>()
})

test('helpers take an app with or without types', () => {
  const helper = (any: App): void => any.emit('any')
  helper(app)
  const typed = (known: App<Types>): void => known.emit('done')
  typed(untyped)
})
