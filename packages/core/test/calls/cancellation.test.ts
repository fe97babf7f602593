// Cancelled calls of every kind: each settles once and in time, its handler's signal aborts, and its late answer is dropped and
// counted.
import { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Bus } from '../../src/index.js'
import { begin, createCaller, kinds, patterns, type Caller, type Kind, whileHeld } from './cancellation.js'
import { rows } from '../../../../scripts/testing.js'

/** Returns the reason of an error. Tauri's errors are strings. */
const getReason = (error: unknown): unknown =>
  typeof error === 'string'
    ? /took longer|was cancelled/
        .exec(error)?.[0]
        .replace('took longer', 'Timeout')
        .replace('was cancelled', 'Cancelled')
    : (error as { reason: string }).reason

const outcome = (call: Promise<unknown>): Promise<unknown> => call.then(() => 'settled', getReason)

/** While the clock is stopped, each poll takes 50 ms of it. */
const HOUR = 3_600_000

/** From now on deadlines of the host and its clients expire only when the test says so. Those of core are real. */
const stopClock = (): void => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

describe.each(patterns)('%s', (_name, app) => {
  let bus: Bus
  let caller: Caller
  beforeAll(async () => {
    bus = await begin(app)
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
      has: line => expect.poll(readAll).toContain(line),
      hasBegun: async () => (await readAll()).some(line => line.endsWith(' began')),
    }
  }

  /** Expects that the handler of a call has been aborted, if it began: core can read a call after its end. */
  async function hasEnded({ end }: Kind, seen: ReturnType<typeof watch>): Promise<void> {
    if (end !== undefined && (await seen.hasBegun())) await seen.has(end)
    await expect.poll(async () => (await bus.stats()).host.inFlight).toBe(0)
  }
  const begins = async ({ end }: Kind, seen: ReturnType<typeof watch>): Promise<void> => {
    if (end !== undefined) await seen.has(`${end.split(' ')[0]!} began`)
  }

  test('a call of each kind ends by its timeout', () => {
    stopClock()
    return rows(kinds)(async (kind, name) => {
      const seen = watch()
      // The deadline of a call by core is that of core.
      const isOfCore = name === 'app.call'
      const call = outcome(kind.call(caller, { timeout: isOfCore ? 1 : HOUR }))
      if (!isOfCore) await begins(kind, seen)
      vi.advanceTimersByTime(HOUR)
      expect(await call).toBe('Timeout')
      await hasEnded(kind, seen)
    })
  })

  test('a call of each kind ends by its signal', () =>
    rows(kinds)(async kind => {
      const seen = watch()
      const abort = new AbortController()
      const call = outcome(kind.call(caller, { signal: abort.signal }))
      await begins(kind, seen)
      abort.abort()
      expect(await call).toBe('Cancelled')
      await hasEnded(kind, seen)
    }))

  test('a call of each kind ends at once by a signal that has aborted', () =>
    rows(kinds)(async kind => {
      expect(await outcome(kind.call(caller, { signal: AbortSignal.abort() }))).toBe('Cancelled')
      await expect.poll(async () => (await bus.stats()).host.inFlight).toBe(0)
    }))

  const unlimited: typeof kinds = {
    ...kinds,
    'app.call': {
      call: ({ client }, { signal, timeout }) =>
        client.invoke('ask', { label: 'tests', timeout }, { timeout: false, signal: signal! }),
      end: 'never Cancelled',
    },
  }

  test('a call of each kind with the timeout false has none, whatever that of the bus is', async () => {
    stopClock()
    const limited = await begin({ ...app, calls: { timeout: 1, commandTimeout: 1 } })
    const limitedCaller = await createCaller(limited)
    await rows(unlimited)(async ({ call, end }) => {
      const abort = new AbortController()
      const ended = outcome(call(limitedCaller, { timeout: false, signal: abort.signal }))
      // A call by core with the deadline of the bus ends meanwhile, unless core is held.
      const late = limitedCaller.client.invoke('ask', { label: 'tests' }, { timeout: false })
      if (end === undefined) late.catch(() => {})
      else expect(await outcome(late)).toBe('Timeout')
      vi.advanceTimersByTime(HOUR)
      abort.abort()
      expect(await ended).toBe('Cancelled')
    })
    await limited.close({ timeout: 0 })
  })

  test('a call of each kind ends with Timeout by AbortSignal.timeout', () =>
    rows(kinds)(async kind => {
      const signal = AbortSignal.timeout(1)
      expect(await outcome(kind.call(caller, { signal }))).toBe('Timeout')
      expect(await outcome(kind.call(caller, { signal }))).toBe('Timeout')
    }))

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
    const [seen, abort] = [watch(), new AbortController()]
    const stubborn = outcome(client.invoke('stubborn', {}, { signal: abort.signal }))
    await seen.has('stubborn began')
    abort.abort()
    expect(await stubborn).toBe('Cancelled')
    // Those of earlier calls can still come.
    await expect.poll(late).toBeGreaterThan(before)
    const between = await late()
    // Core answers before it reads the cancel.
    expect(await whileHeld(client, () => outcome(client.invoke('count', {}, { timeout: 1 })))).toBe('Timeout')
    await expect.poll(late).toBeGreaterThan(between)
    expect(await outcome(bus.call('tests', 'never', {}, { timeout: 1 }))).toBe('Timeout')
  })

  test('no handler runs twice when calls are cancelled', async () => {
    const { client } = caller
    const before = await client.invoke<number>('ran')
    const calls = Array.from({ length: 200 }, async (_, i) => {
      const abort = new AbortController()
      const call = client.invoke<number>('count', {}, i % 3 === 0 ? { timeout: 1 } : { signal: abort.signal })
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
    const loggedBus = await begin({ ...app, log: pino(new Writable({ write })) })
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
  const bus = await begin({ ...patterns.at(-1)![1] })
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
    // The host has sent what it sends for a new frontend.
    for (let n = 0; n < 20; n++) await turn()
    return [calls, opening] as const
  })
  for (const call of calls) await expect(call).rejects.toMatchObject(isDisconnected)
  const next = await opening
  next.expose({ which: () => 'next' })
  expect(await bus.call('main', 'which')).toBe('next')
  await bus.close({ timeout: 0 })
})

test('calls.timeout is the default deadline of calls to frontends, and of no other calls', async () => {
  const bus = await begin({ calls: { timeout: 1 } })
  const caller = await createCaller(bus)
  const toCore = outcome(caller.client.invoke('never'))
  expect(await outcome(bus.call('tests', 'never'))).toBe('Timeout')
  expect(await outcome(bus.frontend('tests')['never']!())).toBe('Timeout')
  expect(await outcome(bus.stream('tests', 'never').next())).toBe('Timeout')
  expect(await outcome(caller.client.invoke('ask_on', { label: 'tests' }))).toBe('Timeout')
  expect(await Promise.race([toCore, caller.client.invoke('echo', {}).then(() => 'still waiting')])).toBe(
    'still waiting',
  )
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
  const bus = await begin({ calls: { commandTimeout: 1 } })
  const caller = await createCaller(bus)
  const { stream, 'bus.call': _, ...others } = kinds
  const streaming = outcome(stream!.call(caller, {}))
  const allowed = outcome(caller.client.invoke('never', {}, { timeout: 60_000 }))
  await rows(others)(async kind => expect(await outcome(kind.call(caller, {}))).toBe('Timeout'))
  const answered = caller.client.invoke('echo', {}, { timeout: 60_000 }).then(() => 'both are waiting')
  expect(await Promise.race([streaming, allowed, answered])).toBe('both are waiting')
  await bus.close({ timeout: 0 })
})
