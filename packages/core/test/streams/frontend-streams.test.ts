// Streams that are results of exposed functions: read by the host, and by core.
import { Channel } from '@sallyport/frontend'
import { describe, expect, test } from 'vitest'
import { defineCore } from '../../src/index.js'
import type { Bus, BusOptions, FrontendOptions } from '../../src/index.js'
import { fixture, isolation, reuseBus, start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

const core = defineCore({
  commands: {
    async sum({ count }, { app }) {
      let sum = 0
      for await (const value of app.stream<number>('main', 'upTo', { count })) sum += value
      return sum
    },
    async proxied({ count }, { app }) {
      const values: unknown[] = []
      for await (const value of app.frontend('main')['upTo']!({ count } as object)) values.push(value)
      return [values, await app.frontend('main')['one']!()]
    },
    refused: (_args, { app }) =>
      app.call('main', 'read', {
        body: (async function* () {
          yield () => {}
        })(),
      }),
    async collected({ count }, { app }) {
      const progress = new Channel<number>()
      const call = app.call('main', 'report', { count, progress })
      return [await collect(progress), await call]
    },
    passed: ({ count, progress }, { app }) => app.call('main', 'report', { count, progress }),
    relay: ({ name }, { app }) => app.stream('main', name as string),
    async first({ name, timeout }, { app }) {
      for await (const value of app.stream('main', name as string, {}, { timeout: (timeout as number) ?? false })) {
        if (timeout === undefined) return value
      }
    },
  },
})

const allowed = { identifier: 'all', windows: ['*'], permissions: ['allow-sum', 'allow-relay', 'allow-first'] }

const PRODUCER = fixture('streams/producer.mjs')

const reuse = reuseBus({ core })

/** Opens a frontend that is closed after the test. */
const open = async (options: FrontendOptions = {}, getBus = reuse): Promise<Bus> => {
  const bus = await getBus()
  await bus.open('main', PRODUCER, options)
  return bus
}

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const values = []
  for await (const value of stream) values.push(value instanceof Uint8Array ? value.length : value)
  return values
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const wall = { kind: 'process', wall: 'auto' } as const

const ways: [string, FrontendOptions, Partial<BusOptions>][] = [
  ['permission', { sandbox: 'permission' }, {}],
  ['quickjs', { sandbox: 'quickjs' }, {}],
  ['quickjs in a process', { sandbox: { kind: 'quickjs', process: true } }, {}],
  ['process with a wall', { sandbox: wall }, {}],
  ['gate', {}, { ...isolation('judge', {}, allowed) }],
  [
    'process with a gate, and msgpack',
    { sandbox: 'process' },
    { codec: 'msgpack', ...isolation('judge', {}, allowed) },
  ],
]

describe.each(choose(ways))('a frontend: %s', (_name, options, ofBus) => {
  const getBus = reuseBus({ core, ...ofBus })

  test('streams values of any kind, in order', async () => {
    const bus = await open(options, getBus)
    expect(await collect(bus.stream('main', 'upTo', { count: 1000 }))).toEqual(upTo(1000))
    expect(await collect(bus.stream('main', 'mixed'))).toEqual([null, { a: 1 }, 70_000, 'x'.repeat(100_000)])
    expect(await collect(bus.stream('main', 'none'))).toEqual([])
  })

  test('ends the generator and aborts its signal when the loop is left', async () => {
    const bus = await open(options, getBus)
    const [aborted, ended] = [bus.once('aborted'), bus.once('ended')]
    for await (const value of bus.stream('main', 'endless')) if (value === 10) break
    expect((await aborted).payload).toBe('Cancelled')
    await ended
  })

  test('reads a stream among the arguments for as long as it streams', async () => {
    const bus = await open(options, getBus)
    const source = async function* () {
      yield* upTo(5)
    }
    expect(await collect(bus.stream('main', 'double', { body: source() }))).toEqual([0, 2, 4, 6, 8])
  })

  test('sends on a channel among the arguments, in order', async () => {
    const bus = await open(options, getBus)
    const progress = new Channel<number>()
    const call = bus.call('main', 'report', { count: 300, progress })
    expect(await collect(progress)).toEqual(upTo(300))
    expect(await call).toBe('done')
  })

  test('delivers the messages whose sending it has awaited before the result of the call', async () => {
    const bus = await open(options, getBus)
    for (let round = 0; round < 100; round++) {
      const arrived: number[] = []
      const progress = new Channel<number>(value => arrived.push(value))
      await bus.call('main', 'report', { count: 3, progress })
      expect(arrived).toEqual([0, 1, 2])
    }
  })

  test('throws after the values before', async () => {
    const bus = await open(options, getBus)
    const stream = bus.stream('main', 'throws')
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    await expect(stream.next()).rejects.toMatchObject({ reason: 'CommandFailed', message: 'no more' })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    await expect(collect(bus.stream('main', 'unsendable'))).rejects.toThrow(/A value of the stream|contains itself/)
  })
})

test('a hook sees each value: it can change one, and the stream of a rejected one ends', async () => {
  const bus = await start({ core, ...isolation('answers', {}, allowed) })
  await bus.open('main', PRODUCER)
  const ended = bus.once('ended')
  const stream = bus.stream('main', 'wishes')
  expect((await stream.next()).value).toBe(1)
  expect((await stream.next()).value).toEqual({ changed: true })
  await expect(stream.next()).rejects.toMatchObject({ reason: 'Rejected' })
  await ended
})

describe('the host', () => {
  test('iterates over what a proxy returns, and ends it by leaving the loop, or awaits it', async () => {
    const bus = await open()
    const main = bus.frontend('main')
    expect(await collect(main['upTo']!({ count: 3 }))).toEqual([0, 1, 2])
    expect(await collect(main['none']!())).toEqual([])
    expect(await main['one']!()).toBe(1)
    expect(await main['nothing']!()).toBe(null)
    expect(await collect((await main['upTo']!({ count: 3 })) as AsyncIterable<unknown>)).toEqual([0, 1, 2])
    await expect(collect(main['one']!())).rejects.toMatchObject({ reason: 'InvalidRequest' })
    await expect(collect(main['missing']!())).rejects.toMatchObject({ reason: 'MethodNotFound' })
    await expect(main['missing']!()).rejects.toMatchObject({ reason: 'MethodNotFound' })
    await expect(main['one']!({}, { wrong: 1 } as never)).rejects.toMatchObject({ reason: 'InvalidParams' })
    const ended = bus.once('ended')
    for await (const value of main['endless']!()) if (value === 3) break
    await ended
  })

  test('is told which function to use', async () => {
    const bus = await open()
    await expect(collect(bus.stream('main', 'one'))).rejects.toMatchObject({
      reason: 'InvalidRequest',
      message: '"one" returned one value instead of a stream. Call it with call',
    })
    await expect(bus.call('main', 'upTo', { count: 1 })).rejects.toMatchObject({
      reason: 'InvalidRequest',
      message: 'The result is a stream, not one value. Read it with stream instead of call',
    })
    await expect(collect(bus.stream('main', 'locked'))).rejects.toMatchObject({ reason: 'CommandFailed' })
    await expect(collect(bus.stream('nobody', 'x'))).rejects.toMatchObject({ reason: 'Disconnected' })
    expect(() => bus.stream(1 as never, 'x')).toThrow('bus.stream takes the label')
  })

  test('makes the generator wait while it does not read', async () => {
    const bus = await open()
    let produced = 0
    await bus.listen<number>('produced', ({ payload }) => void (produced = payload))
    const stream = bus.stream('main', 'chunks', { size: 2 ** 20 })
    await stream.next()
    // Its event loop turns meanwhile: it could go on.
    const callOften = async (): Promise<void> => {
      for (let call = 0; call < 50; call++) await bus.call('main', 'one')
    }
    // 1 MiB and one value more between frontend and core, 4 MiB and one more between core and host.
    await expect.poll(() => produced).toBeGreaterThan(4)
    await callOften()
    expect(produced).toBeLessThan(12)
    for (let i = 0; i < 20; i++) await stream.next()
    await stream.return?.()
    await callOften()
    expect(produced).toBeLessThan(40)
  })

  test('ends a stream by signal and by timeout', async () => {
    const bus = await open()
    const controller = new AbortController()
    const waiting = bus.once('waiting')
    const stream = bus.stream('main', 'waits', {}, { signal: controller.signal })
    await stream.next()
    await waiting
    controller.abort()
    await expect(stream.next()).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect(collect(bus.stream('main', 'waits', {}, { timeout: 1 }))).rejects.toMatchObject({ reason: 'Timeout' })
    const readable = bus.stream('main', 'readable')
    expect(await readable.next()).toEqual({ done: false, value: 'chunk' })
    await readable.return?.()
  })

  test('gets the reason when the frontend ends', async () => {
    const bus = await open()
    const reading = collect(bus.stream('main', 'exits'))
    await expect(reading).rejects.toMatchObject({ reason: 'Disconnected', message: expect.stringContaining('exit') })
    await bus.open('other', PRODUCER)
    const stream = bus.stream('other', 'endless')
    await stream.next()
    const ending = bus.reload('other')
    await expect(collect(stream)).rejects.toMatchObject({ reason: 'Disconnected' })
    await ending
    expect(await collect(bus.stream('other', 'upTo', { count: 2 }))).toEqual([0, 1])
  })
})

describe('a channel', () => {
  test('that its reader leaves rejects in the frontend', async () => {
    const bus = await open()
    const progress = new Channel<number>()
    const call = bus.call('main', 'reportUntilClosed', { progress })
    for await (const value of progress) if (value === 5) break
    expect(await call).toBe('Disconnected')
  })

  test('ends when the call fails, and when the frontend ends', async () => {
    const bus = await open()
    const failing = new Channel<number>()
    await expect(bus.call('main', 'failsAfterMessage', { progress: failing })).rejects.toThrow('failed')
    expect(await collect(failing)).toEqual([1])
    const progress = new Channel<number>()
    const call = bus.call('main', 'reportUntilClosed', { progress })
    call.catch(() => {})
    const reading = collect(progress)
    await bus.closeFrontend('main')
    await expect(call).rejects.toMatchObject({ reason: 'Disconnected' })
    await reading
  })

  test('has all that a function sent which did not wait before the result, up to a bound above which the call fails', async () => {
    const bus = await open()
    const got: number[] = []
    await bus.call('main', 'flood', { progress: new Channel<number>(value => got.push(value)), count: 20_000 })
    expect(got).toEqual(upTo(20_000))
    const call = bus.call('main', 'flood', { progress: new Channel(), count: 70_000 })
    await expect(call).rejects.toMatchObject({ reason: 'Overloaded' })
  })

  test('of core, or of a caller of core, is an argument of app.call', async () => {
    const bus = await open()
    const client = await bus.connect('tests')
    expect(await client.invoke('collected', { count: 50 })).toEqual([upTo(50), 'done'])
    const progress = new Channel<number>()
    const call = client.invoke('passed', { count: 50, progress })
    expect(await collect(progress)).toEqual(upTo(50))
    expect(await call).toBe('done')
  })
})

describe('core', () => {
  test('reads a stream, passes one on, and ends one at a value that cannot be serialized', async () => {
    const bus = await open()
    const client = await bus.connect('tests')
    expect(await client.invoke('sum', { count: 100 })).toBe(4950)
    expect(await client.invoke('proxied', { count: 2 })).toEqual([[0, 1], 1])
    const ended = bus.once('ended')
    for await (const value of client.stream('relay', { name: 'endless' })) if (value === 5) break
    await ended
    await expect(collect(client.stream('relay', { name: 'throws' }))).rejects.toThrow('no more')
    expect(await client.invoke('refused')).toBe('InvalidParams')
  })

  test('leaves a loop, and has a deadline for it', async () => {
    const bus = await open()
    const client = await bus.connect('tests')
    const ended = bus.once('ended')
    expect(await client.invoke('first', { name: 'endless' })).toBe(0)
    await ended
    await expect(client.invoke('first', { name: 'waits', timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
    await expect(client.invoke('first', { name: 'one' })).rejects.toMatchObject({ reason: 'InvalidRequest' })
  })
})
