// Calls, channels and events do not have the weaknesses of Tauri's, which the titles name in parentheses.
// Weaknesses between frontends are in weaknesses.test.ts.
import { setFlagsFromString } from 'node:v8'
import { setEnvironmentData } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHANNEL_MESSAGE_COST, CHANNEL_READ_AHEAD } from '@sallyport/protocol/internal/wire'
import { createBus, type Bus, type BusOptions, type Capability, type Client } from '../../../src/index.js'
import { fixture, patterns, start } from '../../support/start.js'

const weak = ['echo', 'exits', 'never', 'aborted', 'large', 'forgets', 'pours', 'poured', 'stall', 'collect']
const capability: Capability = {
  identifier: 'weak',
  windows: ['tests', 'other', 'm*'],
  permissions: weak.map(name => `allow-${name}`),
}

const getOptions = (app: Partial<BusOptions>) => ({
  core: fixture('calls/weak.mjs'),
  ...app,
  capabilities: [capability],
})

/** The command `stall` blocks core while this is 1. */
const stalled = new Int32Array(new SharedArrayBuffer(4))
setEnvironmentData('stalled', stalled)

// Workers that start from here on have `gc`.
beforeAll(() => setFlagsFromString('--expose-gc'))

test('a call that the hook rejects settles (never in Tauri)', async () => {
  const client = await (await start(getOptions(patterns.at(-1)![1]))).connect('tests')
  for (const hook of ['null', 'undefined', 'throw', 'nonsense']) {
    await expect(client.invoke('echo', { name: 'x', hook }), hook).rejects.toMatchObject({ reason: 'Rejected' })
  }
})

test('a flood of calls has a limit (none in Tauri)', async () => {
  // Calls beyond the limit wait in the client, unsent.
  const client = await (await start(getOptions({}))).connect('tests')
  const calls = Promise.allSettled(Array.from({ length: 16_400 }, () => client.invoke('never')))
  await client.close()
  const unsent = { reason: { reason: 'Disconnected', data: { delivered: 'no' } } }
  for (const settled of (await calls).slice(16_384)) expect(settled).toMatchObject(unsent)
})

describe.each(patterns)('%s', (_name, app) => {
  let bus: Bus
  let client: Client
  let other: Client
  beforeAll(async () => {
    bus = await createBus({ log: false, ...getOptions(app) })
    client = await bus.connect('tests')
    other = await bus.connect('other')
  })
  afterAll(() => bus.close({ timeout: 0 }))

  test('a denied, unknown or malformed call rejects (hangs in Tauri)', async () => {
    const stranger = await bus.connect('stranger', { allow: [] })
    await expect(stranger.invoke('echo', { name: 'x' })).rejects.toMatchObject({ reason: 'Denied' })
    await expect(client.invoke('ecko')).rejects.toMatchObject({ reason: 'MethodNotFound' })
    await expect(client.invoke('plugin:none|x')).rejects.toMatchObject({ reason: 'MethodNotFound' })
    await expect(client.invoke('$/cancelRequest', { id: 1 })).rejects.toMatchObject({ reason: 'InvalidRequest' })
  })

  test('all calls reject when the process that runs commands exits (they hang in Tauri)', async () => {
    const caller = await (await start(getOptions(app))).connect('tests')
    const calls = [caller.invoke('never'), caller.invoke('exits'), caller.invoke('never')]
    for (const settled of await Promise.allSettled(calls)) {
      expect(settled).toMatchObject({ reason: { reason: 'Disconnected', data: { delivered: 'unknown' } } })
    }
  })

  test('a call can be cancelled, and can have a deadline (neither in Tauri)', async () => {
    await expect(client.invoke('never', {}, { timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
    const abort = new AbortController()
    const call = client.invoke('never', {}, { signal: abort.signal })
    abort.abort()
    await expect(call).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect.poll(() => client.invoke('aborted')).toContain('tests: Cancelled')
  })

  test('the signal of a handler aborts when its frontend disconnects (none in Tauri)', async () => {
    const leaving = await bus.connect('m2')
    leaving.invoke('never').catch(() => {})
    await leaving.invoke('echo', { name: 'x' })
    await leaving.close()
    await expect.poll(async () => (await other.invoke<string[]>('aborted')).at(-1)).toBe('m2: Disconnected')
  })

  test('a channel that its command does not end is closed once it is garbage (it leaks in Tauri)', async () => {
    const channel = new client.Channel<string>()
    await client.invoke('forgets', { channel })
    const collected = client.invoke('collect')
    const got: string[] = []
    for await (const message of channel) got.push(message)
    await collected
    expect(got).toEqual(['one'])
  })

  test('a channel can be closed by the frontend, and has back-pressure (neither in Tauri)', async () => {
    const channel = new client.Channel<string>()
    const pouring = client.invoke('pours', { channel })
    // The channel is not read, so the command waits after one window.
    const sent = Math.ceil(CHANNEL_READ_AHEAD / (CHANNEL_MESSAGE_COST + 1002))
    await expect.poll(async () => (await client.invoke<{ sent: number }>('poured')).sent).toBe(sent)
    channel.close()
    await expect.poll(() => client.invoke('poured')).toEqual({ sent, reason: 'Disconnected' })
    await pouring
  })

  test('channel data of another frontend cannot be fetched by its id (it can in Tauri)', async () => {
    const channel = new client.Channel<Uint8Array>()
    const mine: number[] = []
    channel.onmessage = ({ byteLength }) => void mine.push(byteLength)
    // The second frontend declares the id of the first one's channel: it gets its own channel, and no message.
    const { withId } = other.Channel as unknown as { withId(id: number): typeof channel }
    const sameId = Reflect.apply(withId, other.Channel, [channel.id])
    const theirs = other.invoke('large', { channel: sameId, bytes: 20_000, of: 2 })
    await client.invoke('large', { channel, bytes: 10_000, of: 1 })
    await theirs
    expect(mine).toEqual([10_000])
    const fetching = other.invoke('plugin:__TAURI_CHANNEL__|fetch', {}, { headers: { 'Tauri-Channel-Id': '0' } })
    await expect(fetching).rejects.toMatchObject({ reason: 'MethodNotFound' })
  })

  test('listeners are removed when their frontend disconnects (they stay in Tauri)', async () => {
    const leaving = await bus.connect('m1')
    for (let i = 0; i < 100; i++) await leaving.listen('news', () => {})
    await leaving.close()
    const again = await bus.connect('m1')
    const received: unknown[] = []
    await again.listen('news', ({ payload }) => received.push(payload))
    await bus.emit('news', 1)
    await expect.poll(() => received).toEqual([1])
  })

  test('fifty thousand queued events arrive in order (ten thousand crash a window in Tauri)', async () => {
    let [next, inOrder] = [0, true]
    await client.listen<number>('flood', ({ payload }) => void (inOrder &&= payload === next++))
    for (let i = 0; i < 50_000; i++) void bus.emit('flood', i)
    await expect.poll(() => next).toBe(50_000)
    expect(inOrder).toBe(true)
  })

  test('events carry bytes (not in Tauri)', async () => {
    const received = new Promise(resolve => void client.listen('bytes', ({ payload }) => resolve(payload)))
    await client.invoke('echo', { name: 'x' })
    await bus.emit('bytes', { name: 'a', data: new Uint8Array(100_000).fill(9) })
    expect(await received).toEqual({ name: 'a', data: new Uint8Array(100_000).fill(9) })
  })

  test('a command that blocks does not block the frontend (it freezes the window in Tauri)', async () => {
    // Core has its own thread: the frontend's event loop runs while a command blocks.
    Atomics.store(stalled, 0, 1)
    const call = client.invoke('stall')
    for (let tick = 0; tick < 10; tick++) await new Promise(resolve => setTimeout(resolve, 1))
    Atomics.store(stalled, 0, 0)
    Atomics.notify(stalled, 0)
    expect(await call).not.toBe('timed-out')
  })
})
