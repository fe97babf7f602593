// The types of a core in its callers: names, arguments, results, streams, channels and events.
import { createClient, Channel as Receiving, type Stream } from '@sallyport/frontend'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { command, defineCore, plugin, type Bus, type Channel, type CoreDefinition } from '../../src/index.js'

interface User {
  id: number
  name: string
  born: Date
  note?: string | undefined
}

const core = defineCore({
  commands: {
    greet: command({ args: z.object({ name: z.string(), times: z.coerce.number().default(1) }) }, args => args.name),
    parse: command({ args: z.object({ text: z.string().transform(Number) }) }, ({ text }) => text),
    heavy: command({ args: z.object({ n: z.number() }), thread: new URL('file:///x') }),
    add: ({ a, b }: { a: number; b: number }) => a + b,
    ping: () => 'pong' as const,
    maybe: (args: { loud?: boolean }) => (args.loud ? 1 : undefined),
    user: async ({ id }: { id: number }): Promise<User> => ({ id, name: '', born: new Date() }),
    store: (body: Uint8Array) => body.length,
    save: ({ bytes, path }: { bytes: Uint8Array; path: string }) => ({ path, bytes, when: new Date(bytes.length) }),
    read: () => new ArrayBuffer(1),
    forget: async ({ id }: { id: number }): Promise<void> => void id,
    anything: (args: unknown) => JSON.parse(String(args)),
    fails: (): never => {
      throw new Error('no')
    },
    since: ({ when, also }: { when: Date | string; also?: Date }) => [when, also],
    stamp: ({ bytes, when }: { bytes: Uint8Array; when: Date }) => [bytes, when],
    body: (_args: unknown, ctx) => ctx.label,
    download: async ({ url, progress }: { url: string; progress: Channel<{ at: Date }> }) => {
      await progress.send({ at: new Date() })
      return url
    },
    watch: ({ log }: { log: Channel }) => log.end(),
    upload: async ({ body }: { body: AsyncIterable<Uint8Array> }) => void body,
    async *count({ to }: { to: number }) {
      for (let n = 0; n < to; n++) yield { n, at: new Date() }
    },
    lines: async () => new ReadableStream<string>(),
  },
  plugins: [
    plugin('fs', { commands: { read_text: ({ path }: { path: string }) => path, list: () => ['a'] } }),
    plugin('db', {
      commands: {
        async *rows() {
          yield 1
        },
        close: command({ args: z.object({ id: z.number() }) }, ({ id }) => id),
      },
    }),
    plugin('empty', {}),
  ],
  setup() {},
})
const api = createClient<typeof core>()

test('arguments and results', () => {
  expectTypeOf(api.invoke('greet', { name: 'x' })).resolves.toEqualTypeOf<string>()
  expectTypeOf(api.invoke('greet', { name: 'x', times: '3' }, { timeout: 1 })).resolves.toEqualTypeOf<string>()
  expectTypeOf(api.invoke('parse', { text: '1' })).resolves.toEqualTypeOf<number>()
  expectTypeOf(api.invoke('heavy', { n: 1 })).resolves.toEqualTypeOf<unknown>()
  expectTypeOf(api.invoke('add', { a: 1, b: 2 })).resolves.toEqualTypeOf<number>()
  expectTypeOf(api.invoke('ping')).resolves.toEqualTypeOf<'pong'>()
  expectTypeOf(api.invoke('ping', undefined, { timeout: 1 })).resolves.toEqualTypeOf<'pong'>()
  expectTypeOf(api.invoke('ping', {})).resolves.toEqualTypeOf<'pong'>()
  expectTypeOf(api.invoke('maybe')).resolves.toEqualTypeOf<1 | null>()
  expectTypeOf(api.invoke('maybe', { loud: true })).resolves.toEqualTypeOf<1 | null>()
  expectTypeOf(api.invoke('user', { id: 1 })).resolves.toEqualTypeOf<{
    id: number
    name: string
    born: string
    note?: string
  }>()
  expectTypeOf(api.invoke('forget', { id: 1 })).resolves.toEqualTypeOf<null>()
  expectTypeOf(api.invoke('fails')).resolves.toEqualTypeOf<never>()
  expectTypeOf(api.invoke('anything')).resolves.toBeAny()
  expectTypeOf(api.invoke('anything', { what: 'ever' })).resolves.toBeAny()
  expectTypeOf(api.invoke('body', new Uint8Array(1))).resolves.toEqualTypeOf<string>()

  // @ts-expect-error no such command
  void api.invoke('gret', { name: 'x' })
  // @ts-expect-error name is missing
  void api.invoke('greet', {})
  // @ts-expect-error arguments are missing
  void api.invoke('greet')
  // @ts-expect-error the name is a text
  void api.invoke('greet', { name: 1 })
  // @ts-expect-error the schema has no such argument
  void api.invoke('greet', { name: 'x', tims: 3 })
  // @ts-expect-error what goes in is a text, though the handler gets a number
  void api.invoke('parse', { text: 1 })
  // @ts-expect-error ping takes no arguments
  void api.invoke('ping', { loud: true })
  // @ts-expect-error an option that does not exist
  void api.invoke('ping', undefined, { timout: 1 })
  // @ts-expect-error a number is not a string
  void api.invoke('add', { a: 1, b: 2 }).then((sum: string) => sum)
  // @ts-expect-error a date arrives as a text
  void api.invoke('user', { id: 1 }).then(user => user.born.getTime())
})

test('arguments that are all optional are checked like others', () => {
  const optional = defineCore({
    commands: {
      named: ({ b }: { b?: number }) => b,
      open: ({ b }: { b?: number; [name: string]: unknown }) => b,
      schema: command({ args: z.object({ b: z.number().default(1) }) }, ({ b }) => b),
      none: command({ args: z.object({}) }, () => 1),
      any: (args: Readonly<Record<string, unknown>>) => args,
    },
  })
  const { invoke } = createClient<typeof optional>()
  void invoke('named')
  void invoke('named', { b: 1 })
  void invoke('open', { c: 1 })
  void invoke('schema', {})
  void invoke('none')
  void invoke('any', {} as User)
  // @ts-expect-error a number
  void invoke('named', { b: '1' })
  // @ts-expect-error no such argument
  void invoke('named', { c: 1 })
  // @ts-expect-error a number
  void invoke('open', { b: '1' })
  // @ts-expect-error a number
  void invoke('schema', { b: '1' })
  // @ts-expect-error no such argument
  void invoke('schema', { c: 1 })
})

test('arguments that cannot reach the handler as declared', () => {
  void api.invoke('since', { when: '' })
  // @ts-expect-error in JSON a date is a text
  void api.invoke('since', { when: new Date() })
  // @ts-expect-error the same
  void api.invoke('since', { when: '', also: new Date() })
  void createClient<typeof core, { codec: 'msgpack' }>().invoke('since', { when: new Date(), also: new Date() })
  // @ts-expect-error next to bytes too, although the message is encoded as MessagePack
  void api.invoke('stamp', { bytes: new Uint8Array(1), when: new Date() })
})

test('bytes', () => {
  expectTypeOf(api.invoke('store', new Uint8Array(1))).resolves.toEqualTypeOf<number>()
  expectTypeOf(api.invoke('store', new ArrayBuffer(1), { transfer: [] })).resolves.toEqualTypeOf<number>()
  expectTypeOf(api.invoke('read')).resolves.toEqualTypeOf<Uint8Array>()
  expectTypeOf(api.invoke('save', { path: '', bytes: new ArrayBuffer(1) })).resolves.toEqualTypeOf<{
    path: string
    bytes: Uint8Array
    when: string
  }>()
  // @ts-expect-error the body is bytes
  void api.invoke('store', { bytes: new Uint8Array(1) })
  // @ts-expect-error the argument is bytes
  void api.invoke('save', { path: '', bytes: 'text' })
})

test('channels', () => {
  void api.invoke('download', {
    url: '',
    progress: new api.Channel(({ at }) => expectTypeOf(at).toEqualTypeOf<string>()),
  })
  void api.invoke('download', { url: '', progress: new api.Channel<{ at: string }>() })
  void api.invoke('download', { url: '', progress: new api.Channel() })
  void api.invoke('watch', { log: new api.Channel<number>() })
  void api.invoke('upload', { body: new ReadableStream<Uint8Array>() })
  void api.invoke('upload', {
    body: (async function* () {
      yield new Uint8Array(1)
    })(),
  })
  // @ts-expect-error the source yields strings
  void api.invoke('upload', { body: new ReadableStream<string>() })
  void api.invoke('download', { url: '', progress: new Receiving<unknown>() })
  // @ts-expect-error core sends objects
  void api.invoke('download', { url: '', progress: new Receiving<string>() })
  // @ts-expect-error core sends objects with a text in them
  void api.invoke('download', { url: '', progress: new api.Channel<{ at: Date }>() })
  // @ts-expect-error a function is not a channel
  void api.invoke('watch', { log: () => {} })
})

test('streams', () => {
  expectTypeOf(api.stream('count', { to: 3 })).toEqualTypeOf<Stream<{ n: number; at: string }>>()
  expectTypeOf(api.stream('lines', undefined, { timeout: 1 })).toEqualTypeOf<Stream<string>>()
  expectTypeOf(api.stream('lines', undefined, { timeout: { idle: 1 } })).toEqualTypeOf<Stream<string>>()
  // @ts-expect-error An idle deadline has no other member.
  void api.stream('lines', undefined, { timeout: { total: 1 } })
  expectTypeOf(api.stream('plugin:db|rows')).toEqualTypeOf<Stream<number>>()
  // The exports of a pooled module are unknown.
  expectTypeOf(api.stream('heavy', { n: 1 })).toEqualTypeOf<Stream<unknown>>()
  // @ts-expect-error a stream is not invoked
  void api.invoke('count', { to: 3 })
  // @ts-expect-error a plain command is not a stream
  void api.stream('greet', { name: 'x' })
  // @ts-expect-error arguments are missing
  void api.stream('count')
  // @ts-expect-error the command is missing
  void api.invoke()
  // @ts-expect-error the command is missing
  void api.stream()
})

test('plugins and variants', () => {
  expectTypeOf(api.invoke('plugin:fs|read_text', { path: '' })).resolves.toEqualTypeOf<string>()
  expectTypeOf(api.invoke('plugin:fs|list')).resolves.toEqualTypeOf<string[]>()
  expectTypeOf(api.invoke('plugin:db|close', { id: 1 })).resolves.toEqualTypeOf<number>()
  // @ts-expect-error a command of the other plugin
  void api.invoke('plugin:db|read_text', { path: '' })
  // @ts-expect-error this plugin has no commands
  void api.invoke('plugin:empty|any')
  // @ts-expect-error the path is missing
  void api.invoke('plugin:fs|read_text')

  const variant = { ...core, plugins: [plugin('net', { commands: { get: ({ url }: { url: string }) => url.length } })] }
  const other = createClient<typeof variant>()
  expectTypeOf(other.invoke('plugin:net|get', { url: '' })).resolves.toEqualTypeOf<number>()
  expectTypeOf(other.invoke('ping')).resolves.toEqualTypeOf<'pong'>()
  // @ts-expect-error the variant has other plugins
  void other.invoke('plugin:fs|list')

  const more = { ...core, plugins: [...core.plugins, plugin('net', { commands: { get: () => 1 } })] }
  expectTypeOf(createClient<typeof more>().invoke('plugin:net|get')).resolves.toEqualTypeOf<number>()
  expectTypeOf(createClient<typeof more>().invoke('plugin:fs|list')).resolves.toEqualTypeOf<string[]>()

  const alone = defineCore({ plugins: [plugin('net', { commands: { get: () => 1 } })] })
  expectTypeOf(createClient<typeof alone>().invoke('plugin:net|get')).resolves.toEqualTypeOf<number>()
  // @ts-expect-error a core with plugins alone has no other commands
  void createClient<typeof alone>().invoke('get')

  // A core without types accepts any command.
  const any = createClient<CoreDefinition>()
  expectTypeOf(any.invoke('x', { a: 1 })).resolves.toEqualTypeOf<unknown>()
  expectTypeOf(any.stream('plugin:x|y', { a: 1 })).toEqualTypeOf<Stream<unknown>>()
  // @ts-expect-error a string is not a core
  createClient<string>()
})

test('msgpack', () => {
  const packed = createClient<typeof core, { codec: 'msgpack' }>()
  expectTypeOf(packed.invoke('user', { id: 1 })).resolves.toEqualTypeOf<User>()
  expectTypeOf(packed.stream('count', { to: 1 })).toEqualTypeOf<Stream<{ n: number; at: Date }>>()
  void packed.invoke('download', { url: '', progress: new packed.Channel(({ at }) => at.getTime()) })
})

test('events', () => {
  interface Events {
    progress: { percent: number; at: Date }
    done: undefined
  }
  const typed = createClient<typeof core, { events: Events }>()
  void typed.emit('progress', { percent: 1, at: new Date() })
  void typed.emit('done')
  void typed.emitTo('main', 'progress', { percent: 1, at: new Date() }, { transfer: [] })
  void typed.listen('progress', event => expectTypeOf(event.payload).toEqualTypeOf<{ percent: number; at: string }>())
  void typed.once('done', event => expectTypeOf(event.payload).toEqualTypeOf<null>(), { target: 'main' })
  const packed = createClient<typeof core, { codec: 'msgpack'; events: Events }>()
  void packed.listen('progress', event => expectTypeOf(event.payload).toEqualTypeOf<{ percent: number; at: Date }>())

  // @ts-expect-error no such event
  void typed.emit('progres', { percent: 1 })
  // @ts-expect-error the payload is missing
  void typed.emit('progress')
  // @ts-expect-error a number
  void typed.emitTo('main', 'progress', { percent: '1', at: new Date() })
  // @ts-expect-error no such event
  void typed.listen('progres', () => {})
  // @ts-expect-error no such member
  void typed.once('progress', event => event.payload.percen)

  void api.emit('whatever', 1)
  void api.listen<number>('whatever', event => expectTypeOf(event.payload).toEqualTypeOf<number>())
})

test('a client that is passed keeps its members', async () => {
  const bus = {} as Bus
  const client = createClient<typeof core, { events: { news: string } }>(await bus.connect('tests'))
  expectTypeOf(client.invoke('ping')).resolves.toEqualTypeOf<'pong'>()
  expectTypeOf(client.label).toEqualTypeOf<string>()
  expectTypeOf(client.close()).toEqualTypeOf<Promise<void>>()
  void client.emit('news', 'x')
  // @ts-expect-error no such command
  void client.invoke('pin')
  // @ts-expect-error a thread's client is not closed by its module
  void api.close()
})
