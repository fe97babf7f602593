// When workers are started again: threads that are none, with a clock and chance of the test's own.
import { describe, expect, test } from 'vitest'
import { start } from '../../../test/thread-doubles.js'

test('it is started again after growing delays, and the count begins anew after a quiet time', async () => {
  const { clock, told, workers, ready, fail } = start({ intensity: 100, delay: { min: 100, max: 1000 } })
  const delays: number[] = []
  for (let i = 0; i < 6; i++) {
    ready()
    fail()
    delays.push((told.at(-1) as [string, number])[1])
    clock.increment(delays.at(-1)! - 1)
    expect(workers.length).toBe(i + 1)
    clock.increment(1)
    expect(workers.length).toBe(i + 2)
  }
  expect(delays).toEqual([100, 200, 400, 800, 1000, 1000])
  ready()
  clock.increment(5000)
  fail()
  expect(told.at(-1)).toEqual(['boom', 100])
})

test('chance takes up to a half off a delay', () => {
  const { told, ready, exit } = start({}, { random: () => 1 })
  ready()
  exit(1)
  expect(told).toEqual([[expect.any(String), 50]])
})

describe('intensity', () => {
  test('once more than that within the period, and it has failed, with the reason', async () => {
    const { clock, thread, told, ready, fail, supervisor } = start({ intensity: 2, period: 1000 })
    for (let i = 0; i < 3; i++) {
      ready()
      fail()
      clock.increment(200)
    }
    expect(await thread.exited).toMatchObject({
      error: { message: 'it has ended 3 times within 1000 ms, at last so: boom', cause: { message: 'boom' } },
    })
    expect(told).toEqual([['boom', 100], 'up', ['boom', 200], 'up'])
    expect(supervisor.threads).toBe(0)
  })

  test('restarts that are longer ago than the period do not count', () => {
    const { clock, thread, ready, fail, workers } = start({ intensity: 1, period: 1000 })
    for (let i = 0; i < 5; i++) {
      ready()
      fail()
      clock.increment(1100)
    }
    expect(workers.length).toBe(6)
    expect(thread.isUp).toBe(true)
  })

  test('one that fails before it is ready counts too, but for the first, which is not tried again', async () => {
    const { clock, thread, ready, fail, workers } = start({ intensity: 3 })
    ready()
    for (let i = 0; i < 4; i++) {
      fail()
      clock.increment(1000)
    }
    expect(await thread.exited).toMatchObject({ error: { cause: { message: 'boom' } } })
    expect(workers.length).toBe(4)
    const first = start()
    first.fail()
    await expect(first.thread.ready).rejects.toThrow('boom')
    expect(await first.thread.exited).toMatchObject({ error: { message: 'boom' } })
  })
})

describe.each([
  ['permanent', true, true],
  ['transient', true, false],
  ['temporary', false, false],
] as const)('%s', (restart, afterError, afterNone) => {
  test.each([
    ['error', 1, afterError],
    ['none', 0, afterNone],
  ])('after an end with %s', async (_name, code, again) => {
    const { clock, thread, workers, ready, exit } = start({ restart })
    ready()
    exit(code)
    clock.increment(100)
    expect(workers.length).toBe(again ? 2 : 1)
    if (!again) expect((await thread.exited).error === undefined).toBe(code === 0)
  })
})

describe('while it waits to be started again', () => {
  test('it is stopped at once, and nothing more is started', async () => {
    const { clock, thread, ready, fail, workers } = start()
    ready()
    fail()
    expect(thread.isUp).toBe(false)
    expect(await thread.stop(1000)).toMatchObject({ error: undefined })
    clock.increment(10_000)
    expect(workers.length).toBe(1)
  })

  test('it may fail for good, and what is posted goes nowhere', async () => {
    const { clock, thread, ready, fail, workers } = start()
    ready()
    fail()
    thread.post('x')
    thread.fail(new Error('enough'))
    expect(await thread.exited).toMatchObject({ error: { message: 'enough' } })
    clock.increment(10_000)
    expect(workers.length).toBe(1)
  })
})

test('one that is ended from outside is started again; what the old thread says later is nobody’s', async () => {
  const { clock, thread, told, ready, workers } = start()
  ready()
  thread.end(new Error('stuck'))
  expect(told).toEqual([['stuck', 100]])
  clock.increment(100)
  ready()
  workers[0]!.emit('exit', 1)
  clock.increment(1000)
  expect(workers.length).toBe(2)
  expect(thread.isUp).toBe(true)
})

test('inspect tells of states, until it is ended', () => {
  const { supervisor, ready, fail } = start()
  const states: unknown[] = []
  const end = supervisor.inspect(({ type, snapshot }) => type === '@xstate.snapshot' && states.push(snapshot?.value))
  ready()
  fail()
  expect(states).toContainEqual({ alive: 'running' })
  expect(states).toContain('backingOff')
  end()
  const before = states.length
  supervisor.signal('core.ready')
  expect(states.length).toBe(before)
})
