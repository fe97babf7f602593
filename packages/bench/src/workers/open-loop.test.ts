import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { usualCall } from '../payloads/greet.js'
import { makeReady } from './check.js'
import { loopsOf } from './loops.js'
import { measureOpenCalls, offer } from './open-loop.js'
import { callsOnly, type Subject } from './subject.js'

/** All that these loops know of time, in milliseconds; it goes on as it is read. A machine that is busy changes nothing. */
let now = 0
beforeEach(() => {
  now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 1e-4))
})
afterEach(() => vi.restoreAllMocks())

const TURN_MS = 1
const calls = usualCall.calls.map(makeReady)

/** Answers all that waits once each turn, and once each second stands still for 100 ms. */
function stalling(): Subject {
  const waiting: (() => void)[] = []
  let turning = false
  let second = Math.floor(now / 1000)
  const turn = (): void => {
    now += TURN_MS
    if (Math.floor(now / 1000) > second) {
      second = Math.floor(now / 1000)
      now += 100
    }
    for (const answer of waiting.splice(0)) answer()
    turning = false
  }
  return callsOnly(
    () =>
      new Promise(resolve => {
        waiting.push(() => resolve('Hello, World!'))
        if (!turning) setImmediate(turn)
        turning = true
      }),
  )
}

test('a stall of 100 ms each second: a closed loop hides it, an open one shows it', async () => {
  const closed = await loopsOf(stalling())({ loop: 'calls', ms: 2000 }, calls)
  expect(closed['p99']).toBeLessThan(5000)
  now = 0
  const open = await measureOpenCalls(stalling(), calls, 2000)
  expect(open['p99']).toBeGreaterThan(50_000)
  expect(open['p999']).toBeGreaterThan(open['p99']!)
  expect(open['p50']).toBeLessThan(5000)
})

test('each call is sent, and timed from when it was due, though nobody could send it then', async () => {
  const { taken, sent, elapsed } = await offer(
    async index => {
      if (index === 0) now += 10
      return true
    },
    1,
    20,
  )
  expect(sent).toBe(20)
  expect(elapsed).toBeGreaterThanOrEqual(14)
  // The first took 10 ms; the second was due after 1 ms, and had to wait until it could be sent.
  expect([...taken.subarray(0, 2)]).toEqual([expect.closeTo(10, 1), expect.closeTo(9, 1)])
})

test('no more are unanswered than it is told', async () => {
  let waiting = 0
  let most = 0
  await offer(
    async () => {
      most = Math.max(most, ++waiting)
      await new Promise(resolve => setImmediate(resolve))
      now += 0.1
      waiting--
      return true
    },
    100,
    2,
    7,
  )
  expect(most).toBe(7)
})

test('a call that fails ends it, and so does a wrong answer', async () => {
  const fails = offer(() => Promise.reject(new Error('gone')), 1, 1)
  await expect(fails).rejects.toThrow('gone')
  vi.restoreAllMocks()
  let answers = 0
  const tires = callsOnly(async () => {
    await new Promise(resolve => setImmediate(resolve))
    return ++answers < 3 ? 'Hello, World!' : 'Bye'
  })
  await expect(measureOpenCalls(tires, calls, 4)).rejects.toThrow('Bye')
})
