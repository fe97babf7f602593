// Statistics of a bus, reports of slow calls, and the log of a close that waits.
import { Writable } from 'node:stream'
import { ServedCalls } from '../../src/life/reporting/served-calls.js'
import type { FrontendStats } from '../../src/life/reporting/stats.js'
import { Channel } from '@sallyport/frontend'
import { pino, type Logger } from 'pino'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Bus } from '../../src/host/bus.js'
import type { BusEvents, BusStats } from '../../src/index.js'
import { begin, createCaller, patterns, whileHeld } from '../calls/cancellation.js'
import { fixture, isolation } from '../support/start.js'

const getStats = async (bus: Bus, label = 'tests'): Promise<FrontendStats> => (await bus.stats()).frontends[label]!

function logInto(lines: Record<string, unknown>[]): Logger {
  const write = (line: Buffer, _encoding: unknown, done: () => void): void => {
    lines.push(JSON.parse(String(line)) as Record<string, unknown>)
    done()
  }
  return pino(new Writable({ write }))
}

const ignore = (): void => {}
const pass = () => new Promise(resolve => setTimeout(resolve, 1))

describe.each(patterns)('stats, %s', (name, app) => {
  const isIsolated = name === 'isolation'

  test('count the traffic of a frontend, with its rates', async () => {
    const bus = await begin({ ...app, capabilities: caps(['never', 'echo', 'fails']) })
    const { client } = await createCaller(bus)
    let pongs = 0
    await client.listen('pong', () => pongs++)
    for (let i = 0; i < 20; i++) await client.invoke('echo', { i })
    await expect(client.invoke('fails')).rejects.toMatchObject({ reason: 'CommandFailed' })
    await expect(client.invoke('count')).rejects.toMatchObject({ reason: 'Denied' })
    if (isIsolated) await expect(client.invoke('echo', { reject: 1 })).rejects.toMatchObject({ reason: 'Rejected' })
    client.invoke('never').catch(ignore)
    for (let i = 0; i < 3; i++) await client.emit('ping')
    await expect.poll(() => pongs).toBe(3)
    const stats = await bus.stats()
    expect(stats.uptime).toBeGreaterThan(0)
    expect(stats.core).toEqual({ state: 'running', restarts: 0, inFlight: 1, slow: 0 })
    const { tests } = stats.frontends
    expect(tests).toMatchObject({
      state: 'running',
      restarts: 0,
      inFlight: 1,
      queued: expect.any(Number) as number,
      // The first call was `listen`.
      calls: 24,
      failures: 2,
      denied: 1,
      late: 0,
      rejected: isIsolated ? 1 : 0,
      events: { in: 3, out: 3, dropped: 0 },
    })
    const getQueued = ({ host, frontends }: BusStats): number[] => [host.queued, frontends['tests']!.queued]
    await expect.poll(async () => getQueued(await bus.stats())).toEqual([0, 0])
    if (!isIsolated) expect(tests!.gate).toBeUndefined()
    else {
      const { hook, seal, ...gate } = tests!.gate!
      expect(gate).toEqual({ state: 'running', restarts: 0 })
      // `listen`, 24 calls, three events.
      expect(hook.count).toBe(28)
      expect(hook.max).toBeGreaterThanOrEqual(hook.p50)
      expect(hook.p50).toBeGreaterThan(0)
      // The messages of one tick are sealed into one record.
      expect(seal.count).toBeGreaterThan(20)
      expect(seal.count).toBeLessThanOrEqual(28)
      expect(seal.p50).toBeGreaterThan(0)
    }
    expect(tests!.bytes.in).toBeGreaterThan(1000)
    expect(tests!.bytes.out).toBeGreaterThan(500)
    // All calls were timed, except those that failed or have not ended.
    expect(tests!.latency.count).toBe(21)
    expect(tests!.latency.p50).toBeGreaterThan(0)
    expect(tests!.latency.max).toBeGreaterThanOrEqual(tests!.latency.p99)
    expect(tests!.perSecond.calls).toBeGreaterThan(0)
    expect((await getStats(bus)).perSecond).toMatchObject({ calls: 0, events: { in: 0, out: 0 } })
    await bus.close()
  })

  test('remain while core restarts, and continue to count', async () => {
    const bus = await begin({ ...app, supervision: { delay: { min: 20, max: 100 } } })
    const { client } = await createCaller(bus)
    await client.invoke('echo')
    client.invoke('never').catch(ignore)
    await expect.poll(async () => (await bus.stats()).core.inFlight).toBe(1)
    const meanwhile = new Promise<BusStats>(resolve => bus.on('restart', () => resolve(bus.stats())))
    await client.invoke('exits').catch(ignore)
    const { core, frontends } = await meanwhile
    expect(core).toMatchObject({ state: 'backingOff', restarts: 1, inFlight: 0 })
    expect(frontends['tests']).toMatchObject({ state: 'running', inFlight: 0, queued: 0, calls: 3 })
    await expect.poll(() => client.invoke('echo').then(() => 'answered', ignore)).toBe('answered')
    expect(await bus.stats()).toMatchObject({ core: { state: 'running', restarts: 1 } })
    expect((await getStats(bus)).calls).toBeGreaterThan(3)
    await bus.close()
  })
})

const caps = (names: readonly string[]) => [
  { identifier: 'some', windows: ['*'], permissions: names.map(name => `allow-${name}`) },
]

test('returns statistics while core is blocked', async () => {
  const bus = await begin()
  const { client } = await createCaller(bus)
  client.invoke('never').catch(ignore)
  await client.invoke('echo')
  await whileHeld(client, async () => {
    await expect.poll(async () => (await getStats(bus)).calls).toBe(3)
    expect((await bus.stats()).core.inFlight).toBe(1)
  })
  await bus.close({ timeout: 0 })
})

test('shares one pending measurement, which a core that is blocked finds once', async () => {
  const bus = await begin()
  const { core } = Bus.getHost(bus)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const pending = core.measure()
  expect(core.measure()).toBe(pending)
  // However long core takes to answer.
  expect(await pending).toMatchObject({ running: [] })
  expect(core.measure()).not.toBe(pending)
  await bus.close()
})

test('takes what core has measured while the host was busy', async () => {
  const bus = await begin()
  const { client } = await createCaller(bus)
  await client.invoke('echo')
  const { core } = Bus.getHost(bus)
  const measure = async (): Promise<unknown> => {
    await new Promise(setImmediate)
    const measured = core.measure()
    // Longer than core has. It can be too busy to answer meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
    return measured
  }
  await expect.poll(measure).toMatchObject({ running: [] })
  await bus.close()
})

test('counts a worker like a connection', async () => {
  const bus = await begin({
    core: fixture('core.mjs'),
    frontends: { main: { module: fixture('main.mjs'), allow: '*' } },
  })
  await expect.poll(async () => (await getStats(bus, 'main')).calls).toBeGreaterThan(2)
  expect(await getStats(bus, 'main')).toMatchObject({ state: 'running', restarts: 0 })
  await bus.closeFrontend('main')
  expect((await bus.stats()).frontends).toEqual({})
  await bus.close()
  expect(await bus.stats()).toMatchObject({ core: { state: 'stopped' }, frontends: {} })
})

test('counts the calls of each function that a frontend serves, however they are made', async () => {
  const bus = await begin()
  const client = await bus.connect('tests')
  client.expose({
    double: ({ n }: { n: number }) => n * 2,
    never: () => new Promise(() => {}),
    async *letters() {
      yield* 'abc'
    },
  })
  await bus.call('tests', 'double', { n: 1 })
  await bus.callAll('double', { n: 2 })
  await bus.frontend('tests')['double']!({ n: 3 })
  for await (const letter of bus.stream('tests', 'letters')) expect(letter).toBeTypeOf('string')
  await expect(bus.call('tests', 'never', {}, { timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
  await expect(bus.call('tests', 'dubble')).rejects.toMatchObject({ reason: 'MethodNotFound' })
  const { served } = await getStats(bus)
  const { latency, ...double } = served['double']!
  expect(double).toEqual({ calls: 3, failures: {} })
  expect(latency.count).toBe(3)
  expect(latency.max).toBeGreaterThanOrEqual(latency.p50)
  expect(served).toMatchObject({
    letters: { calls: 1, failures: {}, latency: { count: 1 } },
    never: { calls: 1, failures: { Timeout: 1 }, latency: { count: 0 } },
    '(others)': { calls: 1, failures: { MethodNotFound: 1 } },
  })
  await bus.close()
})

test('keeps figures of 50 functions of a frontend, and the sum of the others', () => {
  const served = new ServedCalls()
  for (let n = 0; n < 52; n++) served.begin(`f${n}`)()
  served.begin('f49')()
  served.begin('f'.repeat(1000))()
  expect(Object.keys(served.stats)).toHaveLength(51)
  expect(served.stats).toMatchObject({ f49: { calls: 2 }, '(others)': { calls: 3 } })
})

test('logs and reports a slow call once', async () => {
  const lines: Record<string, unknown>[] = []
  // oxlint-disable-next-line sallyport/no-real-time -- the least that there is, and a slow machine is slower
  const bus = await begin({ calls: { slowAfter: 10 }, log: logInto(lines) })
  const { client } = await createCaller(bus)
  const slow: BusEvents['slow'][] = []
  bus.on('slow', event => void slow.push(event))
  client.invoke('never').catch(ignore)
  bus.call('tests', 'never').catch(ignore)
  // Streams and calls with an open channel are not reported.
  await client.stream('pours')[Symbol.asyncIterator]().next()
  client.invoke('never', { channel: new Channel(ignore) }).catch(ignore)
  await expect.poll(() => slow.length).toBe(2)
  client.invoke('stubborn', { ms: 60_000 }).catch(ignore)
  await expect.poll(() => slow.length).toBe(3)
  const byCommand = slow.toSorted((a, b) => (a.command < b.command ? -1 : 1))
  expect(byCommand.map(({ label, command }) => [label, command])).toEqual([
    ['host', 'bus.call tests never'],
    ['tests', 'never'],
    ['tests', 'stubborn'],
  ])
  for (const { ms } of slow) expect(ms).toBeGreaterThanOrEqual(10)
  const logged = lines.filter(({ msg }) => msg === 'slow call')
  expect(new Set(logged.map(({ command }) => command))).toEqual(new Set(slow.map(({ command }) => command)))
  expect(logged.length).toBe(3)
  expect((await bus.stats()).core.slow).toBe(3)
  await bus.close({ timeout: 0 })
})

test('logs what a close waits for', async () => {
  const lines: Record<string, unknown>[] = []
  const bus = await begin({ log: logInto(lines) })
  const { client } = await createCaller(bus)
  const controller = new AbortController()
  client.invoke('ask_on', { label: 'tests' }, { signal: controller.signal }).catch(ignore)
  await client.invoke('echo')
  const closed = bus.close({ timeout: 60_000 })
  const calls = [{ label: 'tests', command: 'ask_on' }]
  // Core is named alone if it was too busy to answer.
  const closing = { msg: 'closing', workers: [{ worker: 'core' }], calls }
  await expect.poll(() => lines).toContainEqual(expect.objectContaining(closing))
  controller.abort()
  await closed
})

test("a close names the host's own call that it waits for before it cuts the call off", async () => {
  const lines: Record<string, unknown>[] = []
  const bus = await begin({ log: logInto(lines) })
  await createCaller(bus)
  const controller = new AbortController()
  bus.call('tests', 'never', {}, { signal: controller.signal }).catch(ignore)
  await expect.poll(async () => (await bus.stats()).host.inFlight).toBe(1)
  const { core } = Bus.getHost(bus)
  const measure = core.measure.bind(core)
  // However long core takes to answer.
  core.measure = async () => (await measure()) ?? core.measure()
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    const closed = bus.close({ timeout: 60_000 })
    // `expect.poll` would advance the fake timers.
    while (vi.getTimerCount() === 0) await pass()
    // By default, calls are cut off after 1000 ms.
    vi.advanceTimersByTime(999)
    const getLogged = () => lines.find(({ msg }) => msg === 'closing')
    while (getLogged() === undefined) await pass()
    expect(getLogged()).toMatchObject({ calls: [{ label: 'host', command: 'bus.call tests never' }] })
    controller.abort()
    await closed
  } finally {
    vi.useRealTimers()
  }
})

test('measures a hook until its promise settles, across a reload of its gate', async () => {
  const lines: Record<string, unknown>[] = []
  const bus = await begin({ ...isolation('gatekeeper', {}, caps(['echo'])[0]), log: logInto(lines) })
  const { client } = await createCaller(bus)
  expect((await getStats(bus)).gate!.hook).toEqual({ count: 0, p50: 0, p90: 0, p99: 0, max: 0 })
  const held = client.invoke('echo', { hold: 1 })
  await expect.poll(() => lines.map(({ msg }) => msg)).toContain('held')
  for (let turn = 0; turn < 30; turn++) await pass()
  await client.invoke('echo', { release: 1 })
  await held
  const { hook, seal } = (await getStats(bus)).gate!
  expect(hook.count).toBe(2)
  expect(hook.max).toBeGreaterThan(20_000)
  // Sealing excludes the wait. Both durations have the same unit.
  expect(seal.p50).toBeLessThan(hook.max)
  await bus.reload('tests')
  await expect.poll(() => client.invoke('echo').then(() => 'answered', ignore)).toBe('answered')
  expect((await getStats(bus)).gate!.hook.count).toBe(3)
  await bus.close()
})
