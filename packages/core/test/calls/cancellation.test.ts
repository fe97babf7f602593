// Cancelled calls of every kind: each settles once and in time, its handler's signal aborts, and its late answer is dropped and
// counted.
import { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Bus } from '../../src/index.js'
import { begin, createCaller, kinds, patterns, type Caller, whileHeld } from './cancellation.js'

/** Returns the reason of an error. Tauri's errors are strings. */
const getReason = (error: unknown): unknown =>
  typeof error === 'string'
    ? /took longer|was cancelled/
        .exec(error)?.[0]
        .replace('took longer', 'Timeout')
        .replace('was cancelled', 'Cancelled')
    : (error as { reason: string }).reason

const outcome = (call: Promise<unknown>): Promise<unknown> => call.then(() => 'settled', getReason)

const tables = Object.entries(kinds).flatMap(([name, kind]) =>
  (['timeout', 'signal', 'signal that has aborted'] as const).map(way => ({ name, kind, way })),
)

describe.each(patterns)('%s', (_name, app) => {
  let bus: Bus
  let caller: Caller
  beforeAll(async () => {
    bus = await begin({ app })
    caller = await createCaller(bus)
  })
  afterAll(() => bus.close({ timeout: 0 }))

  /** Collects what the handlers of one call note. */
  function watch(): { has(line: string): Promise<void>; hasBegun(): Promise<boolean> } {
    const all: string[] = []
    const readAll = async (): Promise<string[]> => {
      all.push(...(await caller.seen()))
      return all
    }
    return {
      has: line => expect.poll(readAll, { interval: 5 }).toContain(line),
      hasBegun: async () => (await readAll()).some(line => line.endsWith(' began')),
    }
  }

  test.each(tables)('$name ends by a $way', async ({ kind, way }) => {
    const abort = new AbortController()
    if (way === 'signal that has aborted') abort.abort()
    const seen = watch()
    const call = outcome(kind.call(caller, way === 'timeout' ? { timeout: 20 } : { signal: abort.signal }))
    if (way === 'signal') {
      if (kind.end !== undefined) await seen.has(`${kind.end.split(' ')[0]!} began`)
      abort.abort()
    }
    expect(await call).toBe(way === 'timeout' ? 'Timeout' : 'Cancelled')
    // The handler does not begin if core reads the call after its end.
    if (kind.end !== undefined && way !== 'signal that has aborted' && (await seen.hasBegun())) await seen.has(kind.end)
    await expect.poll(async () => (await bus.stats()).host.inFlight).toBe(0)
  })

  const unlimited: typeof kinds = {
    ...kinds,
    'app.call': {
      call: ({ client }, { signal, timeout }) =>
        client.invoke('ask', { label: 'tests', timeout }, { timeout: false, signal: signal! }),
    },
  }

  test.each(Object.keys(unlimited))('%s with the timeout false has none, whatever that of the bus is', async name => {
    const limited = await begin({ app, calls: { timeout: 20, commandTimeout: 20 } })
    const limitedCaller = await createCaller(limited)
    const abort = new AbortController()
    const call = outcome(unlimited[name]!.call(limitedCaller, { timeout: false, signal: abort.signal }))
    expect(await outcome(limitedCaller.client.invoke('never', {}, { timeout: 60 }))).toBe('Timeout')
    abort.abort()
    expect(await call).toBe('Cancelled')
    await limited.close({ timeout: 0 })
  })

  test.each(Object.keys(kinds))('%s ends with Timeout by AbortSignal.timeout', async name => {
    const signal = AbortSignal.timeout(20)
    expect(await outcome(kinds[name]!.call(caller, { signal }))).toBe('Timeout')
    expect(await outcome(kinds[name]!.call(caller, { signal }))).toBe('Timeout')
  })

  test('a cancelled listener does not remain in core', async () => {
    // Core's answer to a listener of a test before lets the client remove it, in a message that arrives before the next call.
    for (let n = 0; n < 2; n++) await caller.client.invoke('seen')
    const before = (await bus.stats()).frontends['tests']!.events.out
    await bus.emit('news')
    await bus.emit('news')
    await caller.client.invoke('seen')
    expect((await bus.stats()).frontends['tests']!.events.out).toBe(before)
  })

  test('a late answer is dropped and counted, sent or not', async () => {
    const late = async (): Promise<number> => (await bus.stats()).frontends['tests']!.late
    const before = await late()
    const { client } = caller
    expect(await outcome(client.invoke('stubborn', { ms: 500 }, { timeout: 5 }))).toBe('Timeout')
    await expect.poll(late).toBe(before + 1)
    // Core answers before it reads the cancel.
    expect(await outcome(client.invoke('block', { ms: 400 }, { timeout: 5 }))).toBe('Timeout')
    await expect.poll(late).toBe(before + 2)
    const call = bus.call('tests', 'never', {}, { timeout: 5 })
    expect(await outcome(call)).toBe('Timeout')
  })

  test('no handler runs twice when calls are cancelled', async () => {
    const { client } = caller
    const before = await client.invoke<number>('ran')
    const calls = Array.from({ length: 200 }, async (_, i) => {
      const abort = new AbortController()
      const call = client.invoke<number>('count', {}, i % 3 === 0 ? { timeout: 1 + (i % 2) } : { signal: abort.signal })
      if (i % 3 === 1) queueMicrotask(() => abort.abort())
      return call
    })
    const results = (await Promise.allSettled(calls)).flatMap(result =>
      result.status === 'fulfilled' ? [result.value] : [],
    )
    expect(new Set(results).size).toBe(results.length)
    const ran = (await client.invoke<number>('ran')) - before
    expect(ran).toBeLessThanOrEqual(200)
    expect(ran).toBeGreaterThanOrEqual(results.length)
  })

  test('the signal of a handler aborts when its frontend disconnects, and when the bus closes', async () => {
    const lines: string[] = []
    const write = (line: Buffer, _encoding: unknown, done: () => void): void => {
      lines.push(String(line))
      done()
    }
    const loggedBus = await begin({ app, log: pino(new Writable({ write })) })
    const [leaving, staying] = [await createCaller(loggedBus, 'leaving'), await createCaller(loggedBus, 'staying')]
    const calls = [leaving, staying].map(({ client }) => outcome(client.invoke('never')))
    await expect.poll(staying.seen).toContain('never began')
    await leaving.client.close()
    await expect.poll(staying.seen).toContain('never Disconnected')
    await loggedBus.close({ timeout: 0 })
    expect(await Promise.all(calls)).toEqual(['Disconnected', 'Disconnected'])
    const aborted = lines.filter(line => line.includes('aborted: Disconnected'))
    expect(aborted.map(line => (JSON.parse(line) as { label: string }).label)).toEqual(['leaving', 'staying'])
  })
})

test('a cancel removes a call that waits for the hook', async () => {
  const bus = await begin({ app: patterns.at(-1)![1] })
  const { client } = await createCaller(bus)
  const abort = new AbortController()
  const call = outcome(client.invoke('count', { hold: true }, { signal: abort.signal }))
  const behind = client.invoke('count')
  abort.abort()
  expect(await call).toBe('Cancelled')
  // The call behind it goes on, and is the only one that has run.
  expect(await behind).toBe(1)
  await client.invoke('echo', { release: true })
  expect(await client.invoke('ran')).toBe(1)
  await bus.close({ timeout: 0 })
})

test('a call does not reach a later frontend of its label, however late core reads it', async () => {
  const bus = await begin()
  const { client } = await createCaller(bus)
  const first = await bus.connect('main')
  const isDisconnected = { reason: 'Disconnected', data: { delivered: 'no' } }
  const [calls, opening] = await whileHeld(client, async () => {
    const calls = [bus.call('main', 'which'), bus.stream('main', 'which').next()]
    for (const call of calls) call.catch(() => {})
    await first.close()
    const opening = bus.connect('main')
    await delay(50)
    return [calls, opening] as const
  })
  for (const call of calls) await expect(call).rejects.toMatchObject(isDisconnected)
  const next = await opening
  next.expose({ which: () => 'next' })
  expect(await bus.call('main', 'which')).toBe('next')
  await bus.close({ timeout: 0 })
})

test('calls.timeout is the default deadline of calls to frontends, and of no other calls', async () => {
  const bus = await begin({ calls: { timeout: 40 } })
  const caller = await createCaller(bus)
  expect(await outcome(bus.call('tests', 'never'))).toBe('Timeout')
  expect(await outcome(bus.frontend('tests')['never']!())).toBe('Timeout')
  expect(await outcome(bus.stream('tests', 'never').next())).toBe('Timeout')
  expect(await outcome(caller.client.invoke('ask_on', { label: 'tests' }))).toBe('Timeout')
  expect(await outcome(caller.client.invoke('stubborn', { ms: 80 }))).toBe('settled')
  await bus.close({ timeout: 0 })
})

test('a call to a frontend has a deadline of 30 s by default, and a call to core has none', async () => {
  const bus = await begin({ core: { commands: { never: () => new Promise(() => {}) } } })
  const { client } = await createCaller(bus)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const toFrontend = bus.call('tests', 'never').catch((error: unknown) => error)
    const toCore = outcome(client.invoke('never'))
    vi.advanceTimersByTime(30_000)
    expect(await toFrontend).toMatchObject({ reason: 'Timeout', message: '"never" took longer than 30000 ms' })
    vi.advanceTimersByTime(3_600_000)
    expect(await Promise.race([toCore, client.invoke('plugin:app|name').then(() => 'still waiting')])).toBe(
      'still waiting',
    )
  } finally {
    vi.useRealTimers()
  }
  await bus.close({ timeout: 0 })
})

test('calls.timeout: false leaves calls to frontends without a deadline', async () => {
  const bus = await begin({ core: {}, calls: { timeout: false } })
  await createCaller(bus)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const abort = new AbortController()
  try {
    const call = outcome(bus.call('tests', 'never', {}, { signal: abort.signal }))
    vi.advanceTimersByTime(3_600_000)
    abort.abort()
    expect(await call).toBe('Cancelled')
  } finally {
    vi.useRealTimers()
  }
  await bus.close({ timeout: 0 })
})

test('the timeout 0 is refused: false means none', async () => {
  const bus = await begin()
  const { client } = await createCaller(bus)
  for (const call of [bus.call('tests', 'never', {}, { timeout: 0 }), client.invoke('never', {}, { timeout: 0 })]) {
    await expect(call).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringMatching(
        /must be milliseconds, more than 0 and at most 2147483647, or false for none$/,
      ) as string,
    })
  }
  await bus.close({ timeout: 0 })
})

test('calls.commandTimeout is the default deadline of calls to core, except streams', async () => {
  const bus = await begin({ calls: { commandTimeout: 40 } })
  const caller = await createCaller(bus)
  const { stream, 'bus.call': _, ...others } = kinds
  for (const [name, kind] of Object.entries(others)) {
    expect(await outcome(kind.call(caller, {})), name).toBe('Timeout')
  }
  expect(await outcome(caller.client.invoke('stubborn', { ms: 60 }, { timeout: 60_000 }))).toBe('settled')
  const streaming = stream!.call(caller, {})
  streaming.catch(() => {})
  expect(await Promise.race([streaming, caller.client.invoke('stubborn', { ms: 60 }, { timeout: 60_000 })])).toBe(
    'late',
  )
  await bus.close({ timeout: 0 })
})
