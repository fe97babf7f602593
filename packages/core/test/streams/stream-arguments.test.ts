// Streams as arguments of commands: the handler reads a source of the caller, which is at most 1 MiB ahead of it and ends with the call.
import { ReadableStream } from 'node:stream/web'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bus, type Client, createBus, defineCore } from '../../src/index.js'
import { fixture, isolation, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

type Source = { body: AsyncIterable<any> }
const seen: string[] = []
let resume = (): void => {}

const core = defineCore({
  commands: {
    async collect({ body }: Source) {
      const values: unknown[] = []
      for await (const value of body) values.push(value instanceof Uint8Array ? [...value] : value)
      return values
    },
    async size({ body }: Source) {
      let size = 0
      for await (const chunk of body) size += chunk.data?.length ?? chunk.length
      return size
    },
    async *echo({ body }: Source) {
      yield* body
    },
    async first({ body }: Source, { app }) {
      for await (const value of body) {
        app.emit('first', value)
        await new Promise<void>(resolve => (resume = resolve))
        return value
      }
    },
    async leave({ body }: Source) {
      for await (const _value of body) break
      await new Promise<void>(resolve => (resume = resolve))
    },
    async wait({ body }: Source, { signal }) {
      try {
        for await (const value of body) seen.push(`value ${value}`)
      } catch (error) {
        seen.push(`${(error as Error).name}, aborted: ${signal.aborted}`)
        throw error
      }
    },
    ignore: () => 'ignored',
    keep: ({ body }: Source) => {
      kept = body
    },
    refuse: () => Promise.reject(new Error('not today')),
    async read_kept() {
      for await (const value of kept) return value
    },
    async zip({ a, b }: { a: AsyncIterable<unknown>; b: AsyncIterable<unknown> }) {
      const values: unknown[] = []
      const others = b[Symbol.asyncIterator]()
      for await (const value of a) values.push([value, (await others.next()).value])
      return values
    },
  },
})
let kept: AsyncIterable<unknown>

/** A source that records what is read from it. */
function createSource(values: Iterable<unknown>, failure?: Error) {
  const events: string[] = []
  let resolve!: () => void
  const closed = new Promise<void>(done => (resolve = done))
  async function* generate() {
    try {
      for (const value of values) {
        events.push(value instanceof Uint8Array ? 'bytes' : String(value))
        yield value
      }
      if (failure) throw failure
    } finally {
      events.push('closed')
      resolve()
    }
  }
  return { body: generate(), events, closed }
}

const everything = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
/** Values of half a MiB. */
const halves = (count: number): Uint8Array[] => Array.from({ length: count }, () => new Uint8Array(2 ** 19))
const all = {
  identifier: 'all',
  windows: ['*'],
  permissions: Object.keys(core.commands).map(name => `allow-${name.replaceAll('_', '-')}`),
}
const patterns = { brownfield: {}, isolation: isolation('judge', {}, all) }

const ways = [
  ['brownfield', 'json'],
  ['brownfield', 'msgpack'],
  ['isolation', 'msgpack'],
  ['isolation', 'json'],
] as const

describe.each(choose(ways))('%s, %s', (pattern, codec) => {
  let bus: Bus
  let client: Client
  beforeAll(async () => {
    bus = await createBus({ core, ...patterns[pattern], codec, log: false })
    client = await bus.connect('tests')
  })
  afterAll(() => bus.close({ timeout: 0 }))

  test('a generator arrives in order, and ends; an empty one ends at once', async () => {
    const { body, events } = createSource(everything(300))
    expect(await client.invoke('collect', { body })).toEqual(everything(300))
    expect(events).toHaveLength(301)
    expect(await client.invoke('collect', { body: ReadableStream.from([]) })).toEqual([])
  })

  test('values arrive as those of a channel: objects, null and bytes, large ones too', async () => {
    const values = [{ a: [1] }, null, 'text', new Uint8Array([1, 2]), false, { done: true }]
    const arrived = values.map(value => (value instanceof Uint8Array ? [1, 2] : value))
    expect(await client.invoke('collect', { body: createSource(values).body })).toEqual(arrived)
    const chunks = [new Uint8Array(300_000), new Uint8Array(70_000), new Uint8Array(1)]
    expect(await client.invoke('size', { body: ReadableStream.from(chunks) })).toBe(370_001)
    const objects = chunks.map(data => ({ data, name: 'x' }))
    expect(await client.invoke('size', { body: createSource(objects).body })).toBe(370_001)
  })

  test('the source is at most 1 MiB ahead of the handler', async () => {
    const { body, events, closed } = createSource(halves(100))
    let unlisten!: () => void
    const first = new Promise<void>(resolve => {
      void client.listen('first', () => resolve()).then(remove => (unlisten = remove))
    })
    await client.invoke('ignore')
    const result = client.invoke('first', { body })
    await first
    unlisten()
    await client.invoke('ignore')
    expect(events).toEqual(Array(4).fill('bytes'))
    resume()
    expect(await result).toHaveLength(2 ** 19)
    await closed
    expect(events.slice(4)).toEqual(['closed'])
  })

  test('an error of the source rejects the loop of the handler', async () => {
    const { body } = createSource([1, 2], new Error('disk failed'))
    seen.length = 0
    await expect(client.invoke('wait', { body })).rejects.toMatchObject({
      reason: 'CommandFailed',
      message: 'disk failed',
    })
    expect(seen).toEqual(['value 1', 'value 2', 'BusError, aborted: false'])
  })

  test('leaving the loop closes the source while the call goes on', async () => {
    const { body, events, closed } = createSource(halves(100))
    const result = client.invoke('leave', { body })
    await closed
    expect(events.at(-1)).toBe('closed')
    expect(events.length).toBeLessThanOrEqual(5)
    await expect.poll(() => client.invoke('ignore')).toBe('ignored')
    resume()
    expect(await result).toBeNull()
  })

  test('two sources are read independently, and several calls at once', async () => {
    const zip = () => client.invoke('zip', { a: createSource([1, 2]).body, b: createSource(['x', 'y']).body })
    const pairs = [
      [1, 'x'],
      [2, 'y'],
    ]
    expect(await Promise.all([zip(), zip(), zip()])).toEqual([pairs, pairs, pairs])
  })

  test('a stream of a command can be passed to a command, and read as a stream', async () => {
    const inner = client.stream('echo', { body: createSource(everything(20)).body })
    const got: unknown[] = []
    for await (const value of client.stream('echo', { body: inner })) got.push(value)
    expect(got).toEqual(everything(20))
  })
})

describe('a source is closed', () => {
  const connect = async (): Promise<Client> => (await start({ core })).connect('tests')

  test('when the command settles without reading it', async () => {
    const client = await connect()
    await rows({ ignore: undefined, refuse: 'CommandFailed', missing: 'MethodNotFound' })(async (reason, command) => {
      let isCancelled = false
      const body = new ReadableStream({ cancel: () => void (isCancelled = true) })
      const outcome = await client.invoke(command, { body }).then(
        () => undefined,
        (error: { reason: string }) => error.reason,
      )
      expect(outcome).toBe(reason)
      expect(isCancelled).toBe(true)
    })
  })

  test('when the call is cancelled, and the handler is aborted while it waits for a value', async () => {
    const client = await connect()
    seen.length = 0
    const controller = new AbortController()
    let isCancelled = false
    const source = {
      pull: () => (controller.abort(), new Promise<void>(() => {})),
      cancel: () => void (isCancelled = true),
    }
    const body = new ReadableStream(source, { highWaterMark: 0 })
    const call = client.invoke('wait', { body }, { signal: controller.signal })
    await expect(call).rejects.toMatchObject({ reason: 'Cancelled' })
    expect(isCancelled).toBe(true)
    await expect.poll(() => seen).toEqual(['AbortError, aborted: true'])
  })

  test('when arguments cannot be sent', async () => {
    const client = await connect()
    let isCancelled = false
    const body = new ReadableStream({ cancel: () => void (isCancelled = true) })
    await expect(client.invoke('ignore', { body, n: 1n << 80n })).rejects.toMatchObject({ reason: 'InvalidParams' })
    expect(isCancelled).toBe(true)
  })

  test('when its client closes', async () => {
    const client = await connect()
    let isCancelled = false
    const body = new ReadableStream({ cancel: () => void (isCancelled = true) })
    const call = client.invoke('wait', { body })
    await Promise.all([expect(call).rejects.toMatchObject({ reason: 'Disconnected' }), client.close()])
    expect(isCancelled).toBe(true)
  })
})

test('a stream that is kept after its call rejects', async () => {
  const client = await (await start({ core })).connect('tests')
  await client.invoke('keep', { body: createSource([1]).body })
  await expect(client.invoke('read_kept')).rejects.toMatchObject({
    reason: 'Disconnected',
    message: 'The call that passed the stream has ended',
  })
})

test('a locked stream is refused with the name of its argument', async () => {
  const client = await (await start({ core })).connect('tests')
  const body = new ReadableStream()
  body.getReader()
  await expect(client.invoke('collect', { body })).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: expect.stringContaining('The argument "body" of command "collect" cannot be read'),
  })
})

test('a string that looks like a stream stays a string', async () => {
  const client = await (await start({ core })).connect('tests')
  await expect(client.invoke('collect', { body: '__STREAM__:1' })).resolves.toEqual(Array.from('__STREAM__:1'))
})

describe.each(choose(['permission', 'quickjs', 'process'] as const))('a frontend with sandbox %s', sandbox => {
  const open = async (app = {}) => {
    const bus = await start({ core: fixture('streams/uploads.mjs'), ...app })
    await bus.open('main', fixture('streams/uploader.mjs'), { sandbox, allow: '*' })
    return bus
  }

  test('sends a stream to core', async () => {
    const bus = await open()
    expect(await bus.call('main', 'send', { count: 50 })).toEqual(everything(50))
  })

  test('ends the loop of the handler when it closes while its stream is read', async () => {
    const bus = await open()
    const [reading, ended] = [bus.once('reading'), bus.once('ended')]
    void bus.call('main', 'stall', {}).catch(() => {})
    await reading
    await bus.closeFrontend('main')
    expect((await ended).payload).toBe('Disconnected')
  })
})

test('a source is closed when core restarts', async () => {
  const bus = await start({ core: fixture('streams/uploads.mjs') })
  const client = await bus.connect('tests')
  const { body, closed } = createSource(everything(10))
  const call = client.invoke('crash', { body })
  await expect(call).rejects.toMatchObject({ reason: 'Disconnected' })
  await closed
})
