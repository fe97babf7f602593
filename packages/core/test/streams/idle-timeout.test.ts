// `timeout: { idle }`: each item of a call's channels and streams extends its deadline, in either direction.
import { setTimeout as delay } from 'node:timers/promises'
import { Channel } from '@sallyport/frontend'
import { describe, expect, test } from 'vitest'
import { defineCore } from '../../src/index.js'
import type { Bus, CallOptions } from '../../src/index.js'
import { fixture, isolation, start } from '../support/start.js'

/** Longer than any item takes on a busy machine. */
const timeout = { idle: 5000 }
/** Longer than that. */
const ms = 7000

async function* items(): AsyncIterable<number> {
  for (const end = Date.now() + ms; Date.now() < end; await delay(50)) yield 1
}

async function readAll(stream: AsyncIterable<unknown>, pauseMs = 0): Promise<string> {
  let count = 0
  for await (const _item of stream) if (++count === 2) await delay(pauseMs)
  return 'done'
}

const core = defineCore({
  commands: {
    async report({ progress }) {
      for await (const item of items()) await (progress as { send(item: number): Promise<void> }).send(item)
      return 'done'
    },
    values: () => items(),
    read: ({ body }) => readAll(body as AsyncIterable<unknown>),
    silent: () => new Promise(() => {}),
    appReport: (_args, { app }) => app.call('main', 'report', { ms, progress: new Channel(() => {}) }, { timeout }),
    appValues: (_args, { app }) => readAll(app.stream('main', 'values', { ms }, { timeout })),
    appRead: (_args, { app }) => app.call('main', 'read', { body: items() }, { timeout }),
    appSilent: (_args, { app }) => app.call('main', 'silent', {}, { timeout: { idle: 100 } }),
    appOneItem: (_args, { app }) => readAll(app.stream('main', 'oneItem', {}, { timeout: { idle: 2000 } })),
    appChunks: (_args, { app }) => readAll(app.stream('main', 'chunks', {}, { timeout }), ms),
  },
})

const open = async (options = {}, app = {}): Promise<Bus> => {
  const bus = await start({ core, app })
  await bus.open('main', fixture('streams/slow-items.mjs'), { allow: ['read', 'values'], ...options })
  return bus
}

const listen = (): Channel => new Channel(() => {})

describe('items extend the deadline', () => {
  test('of calls and streams of the host, of clients, of frontends and of core', async () => {
    const bus = await open()
    const client = await bus.connect('tests')
    const results = await Promise.all([
      bus.call('main', 'report', { ms, progress: listen() }, { timeout }),
      readAll(bus.stream('main', 'values', { ms }, { timeout })),
      readAll(bus.frontend('main')['values']!({ ms }, { timeout })),
      bus.call('main', 'read', { body: items() }, { timeout }),
      client.invoke('report', { progress: listen() }, { timeout }),
      readAll(client.stream('values', {}, { timeout })),
      client.invoke('read', { body: items() }, { timeout }),
      bus.call('main', 'upload', { ms }, { timeout: false }),
      bus.call('main', 'download', { ms }, { timeout: false }),
      ...['appReport', 'appValues', 'appRead'].map(command => client.invoke(command)),
    ])
    expect(results).toEqual(results.map(() => 'done'))
  })

  test('in a process, and through a gate', async () => {
    const allowed = { identifier: 'all', windows: ['*'], permissions: ['allow-read', 'allow-values'] }
    const buses = await Promise.all([
      open({ sandbox: 'process' }),
      open({ allow: undefined }, isolation('judge', {}, allowed)),
    ])
    const calls = buses.flatMap(bus => [
      bus.call('main', 'report', { ms, progress: listen() }, { timeout }),
      readAll(bus.stream('main', 'values', { ms }, { timeout })),
      bus.call('main', 'upload', { ms }, { timeout: false }),
    ])
    expect(await Promise.all(calls)).toEqual(calls.map(() => 'done'))
  })

  test('on a channel of an earlier call', async () => {
    const bus = await open()
    const progress = listen()
    const client = await bus.connect('tests')
    const first = client.invoke('report', { progress })
    const second = client.invoke('silent', { progress }, { timeout })
    const settled = second.catch(() => 'silent')
    expect(await Promise.race([first, settled])).toBe('done')
    await expect(second).rejects.toMatchObject({ reason: 'Timeout' })
  })
})

test('the time in which a reader does not read does not count', async () => {
  const bus = await open()
  const client = await bus.connect('tests')
  const reading = [readAll(bus.stream('main', 'chunks', {}, { timeout }), ms), client.invoke('appChunks')]
  expect(await Promise.all(reading)).toEqual(['done', 'done'])
})

describe('a call without an item for too long', () => {
  const options: CallOptions = { timeout: { idle: 100 } }

  test('rejects with Timeout, and aborts the signal of its function', async () => {
    const bus = await open()
    const aborted = bus.once('aborted')
    await expect(bus.call('main', 'silent', {}, options)).rejects.toMatchObject({
      reason: 'Timeout',
      message: '"silent" made no progress for 100 ms',
    })
    expect((await aborted).payload).toBe('Cancelled')
    const client = await bus.connect('tests')
    const message = 'command "silent" made no progress for 100 ms'
    await expect(client.invoke('silent', {}, options)).rejects.toMatchObject({ reason: 'Timeout', message })
    await expect(client.invoke('appSilent')).rejects.toMatchObject({ reason: 'Timeout', message })
  })

  test('rejects after its last item', async () => {
    const bus = await open()
    const client = await bus.connect('tests')
    const stream = bus.stream('main', 'oneItem', {}, { timeout: { idle: 2000 } })
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    await expect(stream.next()).rejects.toMatchObject({ message: '"oneItem" made no progress for 2000 ms' })
    await expect(client.invoke('appOneItem')).rejects.toMatchObject({ reason: 'Timeout' })
  })
})

describe('an invalid idle deadline is refused', () => {
  test.each([
    ['no time', { idle: 0 }],
    ['a text', { idle: '5 s' }],
    ['no member', {}],
    ['one more member', { idle: 5000, total: 60_000 }],
    ['an array', [5000]],
  ])('%s', async (_name, wrong) => {
    const bus = await open()
    const client = await bus.connect('tests')
    const message = 'must be { idle: milliseconds }, more than 0 and at most 2147483647, or false for none'
    const options = { timeout: wrong } as unknown as CallOptions
    for (const call of [bus.call('main', 'silent', {}, options), client.invoke('silent', {}, options)]) {
      await expect(call).rejects.toMatchObject({ reason: 'InvalidParams', message: expect.stringContaining(message) })
    }
    await expect(bus.stream('main', 'values', {}, options).next()).rejects.toThrow(message)
  })

  test('of what has no items: listeners, and calls of several frontends', async () => {
    const bus = await open()
    const options = { timeout: { idle: 5000 } } as never
    const message = /must be milliseconds, more than 0 and at most 2147483647, or false for none$/
    await expect(bus.callAll('silent', {}, options)).rejects.toThrow(message)
    await expect(bus.listen('event', () => {}, options)).rejects.toThrow(message)
    await expect(bus.once('event', options)).rejects.toThrow(message)
  })
})
