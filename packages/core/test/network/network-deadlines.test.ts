// Deadlines over a network: core ends expired calls, even if their caller is gone.
import { expect, onTestFinished, test, vi } from 'vitest'
import { defineCore, type CommandContext } from '../../src/index.js'
import { dial, socketNetwork } from '../support/socket-network.js'
import { isolation, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const all = { identifier: 'all', windows: ['*'], permissions: ['allow-wait', 'allow-count', 'allow-headers'] }

async function waiting(sealed: boolean, more: { timeout?: number } = {}) {
  const { path, network } = socketNetwork()
  const signals: AbortSignal[] = []
  const core = defineCore({
    commands: {
      wait: (_args: object, { signal }: CommandContext) => {
        signals.push(signal)
        return new Promise<never>(() => {})
      },
      async *count(_args: object, { signal }: CommandContext) {
        signals.push(signal)
        yield 1
        await new Promise(resolve => signal.addEventListener('abort', resolve))
      },
      headers: (_args: object, { request }: CommandContext) => request.headers,
    },
  })
  const app = sealed ? isolation(undefined, {}, all) : { capabilities: [all] }
  const bus = await start({ core, network, ...app, calls: more })
  return { bus, path, signals }
}

// Only the header, like from a caller whose clock has stopped.
const stopped = (ms: number) => ({ headers: { 'sallyport-timeout': String(ms) } })

test.each(choose([false, true]))(
  'abort the handler and answer a caller whose clock has stopped (sealed: %s)',
  async sealed => {
    const { bus, path, signals } = await waiting(sealed)
    const { client, socket } = await dial(path, { label: 'far', sealed })
    const called = client.invoke('wait', {}, stopped(1))
    await expect(called).rejects.toMatchObject({
      reason: 'Timeout',
      message: /wait exceeded the timeout of its caller/,
    })
    expect(signals[0]!.reason).toMatchObject({ reason: 'Timeout' })
    // The caller no longer waits, and is still connected.
    socket.pause()
    client.invoke('wait', {}, stopped(1)).catch(() => {})
    await expect.poll(() => signals[1]?.reason as unknown).toMatchObject({ reason: 'Timeout' })
    await expect.poll(async () => (await bus.stats()).network?.total).toMatchObject({ sessions: 1, failures: 2 })
  },
)

test('do not matter when the caller disconnects first', async () => {
  const { bus, path, signals } = await waiting(false)
  const { client, socket } = await dial(path, { label: 'far' })
  client.invoke('wait', {}, stopped(60_000)).catch(() => {})
  await expect.poll(() => signals.length).toBe(1)
  socket.destroy()
  await expect.poll(() => signals[0]!.reason as unknown).toMatchObject({ reason: 'Disconnected' })
  await expect.poll(async () => (await bus.stats()).network?.total).toMatchObject({ sessions: 0, inFlight: 0 })
})

test('default to those of the connection, except for streams', async () => {
  const { path, signals } = await waiting(false)
  const { client } = await dial(path, { label: 'far', deadlines: true, timeout: 60_000 })
  expect(await client.invoke('headers')).toEqual({ 'sallyport-timeout': '60000' })
  expect(await client.invoke('headers', {}, { timeout: false })).toEqual({})
  expect(await client.invoke('headers', {}, { timeout: 60_000.2, headers: { mine: 'x' } })).toEqual({
    mine: 'x',
    'sallyport-timeout': '60001',
  })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const stream = client.stream('count', {}, { timeout: 60_000 })
  expect(await stream.next()).toMatchObject({ value: 1 })
  const rest = stream.next()
  vi.advanceTimersByTime(60_000)
  await expect(rest).rejects.toMatchObject({ reason: 'Timeout' })
  await expect.poll(() => signals[0]!.aborted).toBe(true)
})

test('are rejected when invalid', async () => {
  const { path } = await waiting(false)
  const { client } = await dial(path, { label: 'far' })
  await rows(['-1', 'NaN', '99999999999', '', '{}'])(async text => {
    const called = client.invoke('headers', {}, { headers: { 'sallyport-timeout': text } })
    await expect(called).rejects.toMatchObject({ reason: 'InvalidParams', message: /sallyport-timeout/ })
  })
})

test('are neither sent nor kept within a process', async () => {
  const { bus } = await waiting(false, { timeout: 60_000 })
  const client = await bus.connect('near')
  expect(await client.invoke('headers')).toEqual({})
  expect(await client.invoke('headers', {}, { headers: { 'sallyport-timeout': 'x' } })).toEqual({
    'sallyport-timeout': 'x',
  })
})

test('are removed when a call ends in time', async () => {
  const { path, bus } = await waiting(false)
  const { client, socket } = await dial(path, { label: 'far', deadlines: true })
  const quick = Array.from({ length: 500 }, () => client.invoke('headers', {}, { timeout: 60_000 }))
  expect(await Promise.all(quick)).toHaveLength(500)
  socket.destroy()
  await expect
    .poll(async () => (await bus.stats()).network?.total)
    .toMatchObject({ sessions: 0, calls: 500, inFlight: 0, failures: 0 })
})
