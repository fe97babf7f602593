// `timeout: { idle }`: each item of a call's channels and streams extends its deadline, in either direction. Frontends, core and host are in this
// thread, whose clock only the test moves.
import { setImmediate as turn } from 'node:timers/promises'
import { Channel } from '@sallyport/frontend'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { defineCore } from '../../src/index.js'
import type { Bus, CallOptions, Client } from '../../src/index.js'
import { isolation, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const IDLE_MS = 60_000
const timeout = { idle: IDLE_MS }

/** Sources that wait for the test to let them go on. */
const waiting = new Set<(isOver: boolean) => void>()
/** What has begun, and how often: an item that has been read, or a chunk that has been made, too. */
const counts: Record<string, number> = {}
const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1)
const hasCounted = async (what: string, times: number): Promise<void> => {
  while ((counts[what] ?? 0) < times) await turn()
}

async function* items(): AsyncIterable<number> {
  while (!(await new Promise<boolean>(resolve => waiting.add(resolve)))) yield 1
}

/** Resolves once all credit has arrived that was sent before. */
let passCredit: () => Promise<unknown>

/** Lets each of so many sources have an item, or end, and waits until the items have been read, and the senders know it. */
async function passItems(sources: number, isOver = false): Promise<void> {
  while (waiting.size < sources) await turn()
  const before = counts['item'] ?? 0
  const all = [...waiting]
  waiting.clear()
  for (const go of all) go(isOver)
  if (isOver) return
  await hasCounted('item', before + sources)
  await passCredit()
}

async function readAll(stream: AsyncIterable<unknown>, pause?: Promise<void>): Promise<string> {
  let read = 0
  for await (const _item of stream) {
    count('item')
    if (++read === 2) await pause
  }
  return 'done'
}

const report = async ({ progress }: { progress?: { send(item: number): Promise<void>; end(): void } }) => {
  for await (const item of items()) await progress!.send(item)
  progress!.end()
  return 'done'
}
const listen = (): Channel => new Channel(() => count('item'))
let pause: Promise<void> | undefined

const core = defineCore({
  commands: {
    report: report as never,
    values: () => items(),
    read: ({ body }) => readAll(body as AsyncIterable<unknown>),
    silent: () => new Promise(() => {}),
    one: () => 1,
    appReport: (_args, { app }) => app.call('main', 'report', { progress: listen() }, { timeout }),
    appValues: (_args, { app }) => readAll(app.stream('main', 'values', {}, { timeout })),
    appRead: (_args, { app }) => app.call('main', 'read', { body: items() }, { timeout }),
    appSilent: (_args, { app }) => app.call('main', 'silent', {}, { timeout: { idle: 1 } }),
    appOneItem: (_args, { app }) => readAll(app.stream('main', 'oneItem', {}, { timeout })),
    appChunks: (_args, { app }) => readAll(app.stream('main', 'chunks', {}, { timeout }), pause),
  },
})
const permissions = Object.keys(core.commands).map(name => `allow-${name}`)
const capability = { identifier: 'all', windows: ['*'], permissions }

afterEach(() => {
  vi.useRealTimers()
  waiting.clear()
  for (const what of Object.keys(counts)) delete counts[what]
})

/** Connects clients as `main`, whose functions are called, and `tests`, and stops the clock. */
async function open(app = {}): Promise<{ bus: Bus; client: Client }> {
  const bus = await start({ core, ...app, supervision: { heartbeat: false } })
  const main = await bus.connect('main')
  main.expose({
    report: report as never,
    values: () => items(),
    read: ({ body }: { body: AsyncIterable<unknown> }) => readAll(body),
    upload: () => main.invoke('read', { body: items() }, { timeout }),
    download: () => readAll(main.stream('values', {}, { timeout })),
    async silent(_args: object, { signal }: { signal: AbortSignal }) {
      count('silent')
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      count(`silent ${(signal.reason as { reason: string }).reason}`)
    },
    async *oneItem() {
      yield 1
      await new Promise(() => {})
    },
    async *chunks() {
      for (let n = 0; n < 12; n++) {
        count('chunk')
        yield new Uint8Array(2 ** 20)
      }
    },
    one: () => 1,
  })
  const client = await bus.connect('tests')
  passCredit = () => Promise.all([bus.call('main', 'one'), client.invoke('one')])
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  return { bus, client }
}

/** Lets most of the deadline pass, several times, with an item each time. */
async function passMoreThanTheDeadline(sources: number): Promise<void> {
  for (let n = 0; n < 3; n++) {
    await passItems(sources)
    await vi.advanceTimersByTimeAsync(0.9 * IDLE_MS)
  }
}

const patterns = [
  ['brownfield', {}],
  ['isolation', isolation('judge', {}, capability)],
] as const

describe.each(choose(patterns))('items extend the deadline: %s', (_name, app) => {
  test('of calls and streams of the host, of clients, of frontends and of core', async () => {
    const { bus, client } = await open(app)
    const calls = [
      bus.call('main', 'report', { progress: listen() }, { timeout }),
      readAll(bus.stream('main', 'values', {}, { timeout })),
      readAll(bus.frontend('main')['values']!({}, { timeout })),
      bus.call('main', 'read', { body: items() }, { timeout }),
      client.invoke('report', { progress: listen() }, { timeout }),
      readAll(client.stream('values', {}, { timeout })),
      client.invoke('read', { body: items() }, { timeout }),
      bus.call('main', 'upload', {}, { timeout: false }),
      bus.call('main', 'download', {}, { timeout: false }),
      ...['appReport', 'appValues', 'appRead'].map(command => client.invoke(command)),
    ]
    for (const call of calls) call.catch(() => {})
    await passMoreThanTheDeadline(calls.length)
    await passItems(calls.length, true)
    expect(await Promise.all(calls)).toEqual(calls.map(() => 'done'))
  })

  test('on a channel of an earlier call', async () => {
    const { client } = await open(app)
    const progress = listen()
    const first = client.invoke('report', { progress })
    const second = client.invoke('silent', { progress }, { timeout })
    const settled = second.catch(() => 'silent')
    await passMoreThanTheDeadline(1)
    await passItems(1, true)
    expect(await Promise.race([first, settled])).toBe('done')
    await vi.advanceTimersByTimeAsync(IDLE_MS)
    await expect(second).rejects.toMatchObject({ reason: 'Timeout' })
  })
})

test('the time in which a reader does not read does not count', async () => {
  const { bus, client } = await open()
  let goOn!: () => void
  pause = new Promise(resolve => (goOn = resolve))
  const reading = [readAll(bus.stream('main', 'chunks', {}, { timeout }), pause), client.invoke('appChunks')]
  await hasCounted('item', 4)
  // Until the senders wait for the readers.
  for (let last = -1; last !== counts['chunk'];) {
    last = counts['chunk']!
    for (let n = 0; n < 50; n++) await bus.call('main', 'one')
  }
  expect(counts['chunk']).toBeLessThan(24)
  for (let n = 0; n < 3; n++) await vi.advanceTimersByTimeAsync(IDLE_MS)
  goOn()
  expect(await Promise.all(reading)).toEqual(['done', 'done'])
})

describe('a call without an item for too long', () => {
  test('rejects with Timeout, and aborts the signal of its function', async () => {
    const { bus, client } = await open()
    const call = bus.call('main', 'silent', {}, { timeout })
    call.catch(() => {})
    await hasCounted('silent', 1)
    await vi.advanceTimersByTimeAsync(IDLE_MS)
    await expect(call).rejects.toMatchObject({
      reason: 'Timeout',
      message: `"silent" made no progress for ${IDLE_MS} ms`,
    })
    await hasCounted('silent Cancelled', 1)
    vi.useRealTimers()
    const late = { reason: 'Timeout', message: 'command "silent" made no progress for 1 ms' }
    await expect(client.invoke('silent', {}, { timeout: { idle: 1 } })).rejects.toMatchObject(late)
    await expect(client.invoke('appSilent')).rejects.toMatchObject(late)
  })

  test('rejects after its last item', async () => {
    const { bus, client } = await open()
    const stream = bus.stream('main', 'oneItem', {}, { timeout })
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    const calls = [stream.next(), client.invoke('appOneItem')]
    for (const call of calls) call.catch(() => {})
    await hasCounted('item', 1)
    await vi.advanceTimersByTimeAsync(2 * IDLE_MS)
    await expect(calls[0]).rejects.toMatchObject({ message: `"oneItem" made no progress for ${IDLE_MS} ms` })
    await expect(calls[1]).rejects.toMatchObject({ reason: 'Timeout' })
  })
})

describe('an invalid idle deadline is refused', () => {
  test('of calls and streams', async () => {
    const { bus, client } = await open()
    const message = 'must be { idle: milliseconds }, more than 0 and at most 2147483647, or false for none'
    const wrong = {
      'no time': { idle: 0 },
      'a text': { idle: '5 s' },
      'no member': {},
      'one more member': { idle: 60_000, total: 60_000 },
      'an array': [5000],
    }
    await rows<object>(wrong)(async value => {
      const options = { timeout: value } as CallOptions
      for (const call of [bus.call('main', 'silent', {}, options), client.invoke('silent', {}, options)]) {
        await expect(call).rejects.toMatchObject({ reason: 'InvalidParams', message: expect.stringContaining(message) })
      }
      await expect(bus.stream('main', 'values', {}, options).next()).rejects.toThrow(message)
    })
  })

  test('of what has no items: listeners, and calls of several frontends', async () => {
    const { bus } = await open()
    const options = { timeout } as never
    const message = /must be milliseconds, more than 0 and at most 2147483647, or false for none$/
    await expect(bus.callAll('silent', {}, options)).rejects.toThrow(message)
    await expect(bus.listen('event', () => {}, options)).rejects.toThrow(message)
    await expect(bus.once('event', options)).rejects.toThrow(message)
  })
})
