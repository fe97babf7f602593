// Restarts of a worker, with fake threads, a simulated clock and a random source of the test's own.
import { createDeferred } from '@sallyport/protocol/internal/util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { NeighborFault } from './judge.js'
import { start } from '../../test/support/thread-doubles.js'

test('restarts after growing delays, and from the first delay again after a quiet time', async () => {
  const { clock, events, threads, ready, fail } = start({ intensity: 100, delay: { min: 100, max: 1000 } })
  const delays: number[] = []
  for (let i = 0; i < 6; i++) {
    ready()
    fail()
    delays.push((events.at(-1) as [string, number])[1])
    clock.increment(delays.at(-1)! - 1)
    expect(threads.length).toBe(i + 1)
    clock.increment(1)
    expect(threads.length).toBe(i + 2)
  }
  expect(delays).toEqual([100, 200, 400, 800, 1000, 1000])
  ready()
  clock.increment(5000)
  fail()
  expect(events.at(-1)).toEqual(['boom', 100])
})

test('a restart of core is given up after a minute, or ten times its first start', () =>
  rows([
    [1000, 60_000],
    [9000, 90_000],
  ])((startup, limit) => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { clock, events, ready, fail } = start({}, { hasStartTimeout: true })
    clock.increment(startup)
    ready()
    fail()
    clock.increment(100)
    vi.advanceTimersByTime(limit - 1)
    expect(events).toEqual([['boom', 100], 'restarted'])
    vi.advanceTimersByTime(10)
    expect(events[2]).toEqual([`it restarted and was not ready after ${limit} ms`, expect.any(Number)])
  }))

test('is not restarted if it fails while somebody waits for its first start', async () => {
  let isOpening = true
  const { clock, worker, threads, ready, fail } = start({}, { isOpening: () => isOpening })
  ready()
  fail()
  expect(await worker.exited).toMatchObject({ error: { message: 'boom' } })
  clock.increment(60_000)
  expect(threads.length).toBe(1)

  const opened = start({}, { isOpening: () => isOpening })
  opened.ready()
  isOpening = false
  opened.fail()
  opened.clock.increment(60_000)
  expect(opened.threads.length).toBe(2)
})

test('randomizes a delay by up to a half', () => {
  const { events, ready, exit } = start({}, { random: () => 1 })
  ready()
  exit(1)
  expect(events).toEqual([[expect.any(String), 50]])
})

type Doubles = ReturnType<typeof start>

const hasServed = (): boolean => true

describe('intensity', () => {
  test('fails with the last error after one more restart than that within the period', async () => {
    const { clock, worker, events, ready, fail, supervisor } = start({ intensity: 2, period: 60_000 }, { hasServed })
    for (let i = 0; i < 3; i++) {
      ready()
      fail()
      clock.increment(200)
    }
    expect(await worker.exited).toMatchObject({
      error: {
        message: 'it failed 3 times within 60000 ms and will not be restarted. Last error: boom',
        cause: { message: 'boom' },
      },
    })
    expect(events).toEqual([['boom', 100], 'restarted', ['boom', 200], 'restarted'])
    expect(supervisor.getWorkerStatuses().size).toBe(0)
  })

  test('does not count restarts before the period', () => {
    const { clock, worker, ready, fail, threads } = start({ intensity: 1, period: 60_000 }, { hasServed })
    for (let i = 0; i < 5; i++) {
      ready()
      fail()
      clock.increment(60_000)
    }
    expect(threads.length).toBe(6)
    expect(worker.isUp).toBe(true)
  })

  test('counts ends in a row before anything was served, however long the starts take', () =>
    rows([
      ['before they are ready', () => {}],
      ['as they are ready', ({ ready }: Doubles) => ready()],
      ['just before they were ready for the period', ({ ready, clock }: Doubles) => (ready(), clock.increment(4999))],
    ])(async (_when, begin) => {
      const doubles = start({ intensity: 3 })
      const { clock, worker, ready, fail, threads } = doubles
      ready()
      for (let i = 0; i < 4; i++) {
        if (i > 0) begin(doubles)
        fail()
        clock.increment(60_000)
      }
      const last = 'Last error: boom'
      const message = `it failed 4 times in a row before it had served anything and will not be restarted. ${last}`
      expect(await worker.exited).toMatchObject({ error: { message, cause: { message: 'boom' } } })
      expect(threads.length).toBe(4)
    }))

  test('begins a row again once something was served, or after the period', () =>
    rows([
      ['served', 0, true],
      ['ran for the period', 5000, false],
    ])((_what, runs, serves) => {
      let hasServed = false
      const { clock, worker, ready, fail } = start({ intensity: 1 }, { hasServed: () => hasServed })
      const crash = (ms = 0): void => {
        ready()
        clock.increment(ms)
        fail()
        clock.increment(60_000)
      }
      crash()
      hasServed = serves
      crash(runs)
      hasServed = false
      crash()
      expect(worker.isUp).toBe(true)
      crash()
      expect(worker.isUp).toBe(false)
    }))

  test('begins a row again with the code of a reload', () => {
    const { clock, worker, ready, exit, fail } = start({ intensity: 1 })
    const crash = (): void => {
      ready()
      fail()
      clock.increment(60_000)
    }
    crash()
    ready()
    void worker.reload()
    exit(0)
    crash()
    expect(worker.isUp).toBe(true)
    crash()
    expect(worker.isUp).toBe(false)
  })

  test('does not count the first start, whose error its opener gets', async () => {
    const first = start({ intensity: 1 })
    first.fail()
    await expect(first.worker.ready).rejects.toThrow('boom')
    expect(await first.worker.exited).toMatchObject({ error: { message: 'boom' } })
  })
})

test('ends of its thread that others caused do not count against the intensity, and the delay grows', () => {
  const { clock, worker, events, ready, fail } = start({ intensity: 0 })
  for (const delay of [100, 200, 400]) {
    ready()
    fail(new NeighborFault('Disconnected', 'why'))
    clock.increment(delay)
  }
  expect(events).toEqual([['why', 100], 'restarted', ['why', 200], 'restarted', ['why', 400], 'restarted'])
  expect(worker.stats.restarts).toBe(3)
})

test('a permanent worker restarts after each exit, a transient one after an error, and a temporary one never', () =>
  rows([
    ['permanent', 1, true],
    ['permanent', 0, true],
    ['transient', 1, true],
    ['transient', 0, false],
    ['temporary', 1, false],
    ['temporary', 0, false],
  ])(async (restart, code, restarts) => {
    const { clock, worker, threads, ready, exit } = start({ restart })
    ready()
    exit(code)
    clock.increment(100)
    expect(threads.length).toBe(restarts ? 2 : 1)
    if (!restarts) expect((await worker.exited).error === undefined).toBe(code === 0)
  }))

describe('a worker that waits for its restart', () => {
  test('stops immediately, and starts no other thread', async () => {
    const { clock, worker, ready, fail, threads } = start()
    ready()
    fail()
    expect(worker.isUp).toBe(false)
    expect(await worker.stop(1000)).toMatchObject({ error: undefined })
    clock.increment(10_000)
    expect(threads.length).toBe(1)
  })

  test('can be failed for good, and drops what is posted', async () => {
    const { clock, worker, ready, fail, threads } = start()
    ready()
    fail()
    worker.post('x')
    worker.life.send({ type: 'FAIL', error: new Error('enough') })
    expect(await worker.exited).toMatchObject({ error: { message: 'enough' } })
    clock.increment(10_000)
    expect(threads.length).toBe(1)
  })
})

test('restarts a terminated worker, and ignores later events of the old thread', async () => {
  const { clock, worker, events, ready, threads } = start()
  ready()
  worker.terminate(new Error('stuck'))
  expect(events).toEqual([['stuck', 100]])
  clock.increment(100)
  ready()
  threads[0]!.emit('exit', 1)
  clock.increment(1000)
  expect(threads.length).toBe(2)
  expect(worker.isUp).toBe(true)
})

test('a thread that blocks its event loop ends at once, or as it can, with what is to blame', () =>
  rows([
    [{}, {}, 'it blocked its event loop for 1000 ms', 'backingOff'],
    [{ explainBlock: () => new Error('another blocked it') }, {}, 'another blocked it', 'backingOff'],
    [{}, { isRelayed: true }, 'it blocked its event loop for 1000 ms', 'leaving'],
  ])((handle, spec, message, state) => {
    vi.useFakeTimers()
    try {
      const { worker, threads, ready } = start({ heartbeat: 1000 }, spec)
      Object.assign(threads[0]!, handle)
      ready()
      Atomics.store(new Int32Array(worker.code.heartbeat!.memory), 0, 1)
      vi.advanceTimersByTime(1251)
      expect([worker.life.context.sentence?.message, worker.stats.state]).toEqual([message, state])
    } finally {
      vi.useRealTimers()
    }
  }))

test('inspect reports states until it is unsubscribed', () => {
  const { supervisor, worker, ready, fail } = start()
  const states: unknown[] = []
  const unsubscribe = supervisor.inspect(
    ({ type, snapshot }) => type === '@xstate.snapshot' && states.push(snapshot?.value),
  )
  ready()
  fail()
  expect(states).toContainEqual({ code: 'running' })
  expect(states).toContainEqual({ code: 'backingOff' })
  supervisor.createLife({ ...worker.life.context, nextLink: () => 1 })
  expect(states.at(-1)).toEqual({ code: 'starting', core: 'down', gate: 'none', stage: 'opening', link: 'down' })
  unsubscribe()
  const before = states.length
  supervisor.signal('core.ready')
  expect(states.length).toBe(before)
})

describe('while the bus closes', () => {
  test('a worker that fails does not restart', async () => {
    const { worker, events, threads, ready, fail, supervisor } = start()
    ready()
    supervisor.signal('drain')
    fail()
    expect(await worker.exited).toMatchObject({ error: { message: 'boom' } })
    expect([events, threads.length]).toEqual([[], 1])
  })

  test('a worker that waits for its restart does not start', async () => {
    const { clock, worker, threads, ready, fail, supervisor } = start()
    ready()
    fail()
    supervisor.signal('drain')
    clock.increment(60_000)
    expect(threads.length).toBe(1)
    expect(await worker.stop(0)).toMatchObject({ error: undefined })
  })

  test('a permanent worker can finish', async () => {
    const { worker, ready, exit, supervisor } = start({ restart: 'permanent' })
    ready()
    supervisor.signal('drain')
    exit(0)
    expect(await worker.exited).toMatchObject({ error: undefined, code: 0 })
  })
})

// Reloads of a worker: a new thread in place of the current one, which does not count as a restart.
describe('reloads', () => {
  test('replaces the thread any number of times without counting a restart', async () => {
    const { events, threads, worker, ready, exit } = start({ intensity: 0 })
    ready()
    for (let generation = 2; generation < 10; generation++) {
      const reloaded = worker.reload()
      expect(worker.stats.state).toBe('reloading')
      exit()
      expect(threads.length).toBe(generation)
      expect(events.splice(0)).toEqual(['reloading', 'restarted'])
      ready()
      await reloaded
    }
    expect(worker.stats).toEqual({ state: 'running', restarts: 0 })
  })

  test('replaces few spares that die while they are taken, one after the other', () => {
    const { threads, worker, ready, fail, exit } = start()
    const loseSpare = (): void => {
      Object.assign(threads.at(-1)!, { wasStartedAhead: true })
      fail()
    }
    loseSpare()
    ready()
    worker.reload().catch(() => {})
    exit()
    for (let lost = 0; lost < 10 && worker.stats.state === 'starting'; lost++) loseSpare()
    expect([threads.length, worker.stats.state]).toEqual([6, 'backingOff'])
  })

  test('does not replace a spare that dies once the worker is stopped', async () => {
    const { threads, worker, fail } = start()
    Object.assign(threads[0]!, { wasStartedAhead: true })
    const stopped = worker.stop(0)
    fail()
    expect(await stopped).toMatchObject({ error: { message: 'boom' } })
    expect(threads.length).toBe(1)
  })

  test('replaces a spare that died while it was taken, whatever was thought of it before its exit was known', () => {
    const { threads, worker, fail } = start({}, { isRelayed: true })
    Object.assign(threads[0]!, { wasStartedAhead: true })
    worker.life.send({ type: 'SENTENCE', error: new Error('its link has closed') })
    expect(worker.stats.state).toBe('leaving')
    fail()
    Object.assign(threads[1]!, { wasStartedAhead: true })
    worker.terminate(new Error('it is blocked'))
    fail()
    expect([threads.length, worker.stats.state]).toEqual([3, 'starting'])
  })

  test('skips a restart delay, and terminates a thread that does not exit', async () => {
    const { events, threads, worker, ready, fail } = start()
    ready()
    fail()
    const reloaded = worker.reload()
    expect(threads.length).toBe(2)
    ready()
    await reloaded
    vi.useFakeTimers()
    void worker.reload()
    vi.advanceTimersByTime(600)
    vi.useRealTimers()
    expect([threads.length, ...events]).toEqual([3, ['boom', 100], 'restarted', 'reloading', 'restarted'])
    void worker.reload()
    worker.terminate(new Error('it is blocked'))
    expect(threads.length).toBe(4)
  })

  test('replaces a thread that is being ended for another reason, once it has ended, without counting a restart', async () => {
    const { events, threads, worker, ready, exit } = start({ intensity: 0 }, { isRelayed: true })
    ready()
    worker.terminate(new Error('it is silent'))
    expect(worker.stats.state).toBe('leaving')
    const reloaded = worker.reload()
    exit()
    expect([threads.length, ...events]).toEqual([2, 'reloading', 'restarted'])
    ready()
    await reloaded
    expect(worker.stats).toEqual({ state: 'running', restarts: 0 })
  })

  test('rejects when the new thread fails or the worker is stopped meanwhile', async () => {
    const { worker, ready, exit, fail } = start()
    ready()
    const failing = worker.reload()
    exit()
    fail()
    await expect(failing).rejects.toThrow('boom')
    const stopped = worker.reload()
    void worker.stop(0)
    exit()
    await expect(stopped).rejects.toMatchObject({ reason: 'Disconnected' })
    await expect(worker.reload()).rejects.toMatchObject({ reason: 'Disconnected' })
  })

  test('restarts a worker that waits after an error in development', async () => {
    const { clock, events, threads, worker, ready, fail } = start({}, { waitsAfterError: true })
    ready()
    for (let i = 0; i < 10; i++) {
      fail()
      clock.increment(60_000)
      expect(worker.stats).toEqual({ state: 'waiting', restarts: 0 })
      void worker.reload().catch(() => {})
    }
    expect(threads.length).toBe(11)
    expect(events.splice(0, 2)).toEqual([['boom', undefined], 'restarted'])
    ready()
    expect(worker.stats.state).toBe('running')
    fail()
    void worker.stop(0)
    expect(await worker.exited).toMatchObject({ error: undefined, exitError: undefined })
  })

  test('a worker whose thread has exited is not up while the error is explained', async () => {
    const explained = createDeferred()
    const { worker, ready, fail } = start({}, { waitsAfterError: true, explained: explained.promise })
    ready()
    fail()
    expect([worker.stats.state, worker.isUp]).toEqual(['running', false])
    explained.resolve()
    await expect.poll(() => worker.stats.state).toBe('waiting')
  })
})
