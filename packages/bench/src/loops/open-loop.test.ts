import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { usualCall } from '../model/payloads.js'
import { callsOnly, measureTask, offer, prepareCall, type Subject } from './calls.js'

const calls = usualCall.calls.map(prepareCall)

describe('an open loop, by a virtual clock', () => {
  /** All that the loops know of time, in milliseconds; it advances when it is read, so that a busy machine changes nothing. */
  let now = 0
  beforeEach(() => {
    now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 1e-4))
  })
  afterEach(() => vi.restoreAllMocks())

  const TICK_MS = 1

  /** Answers all that waits once in each tick, and stands still for 100 ms once in each second. */
  function createStalling(): Subject {
    const waiting: (() => void)[] = []
    let isScheduled = false
    let second = Math.floor(now / 1000)
    const tick = (): void => {
      now += TICK_MS
      if (Math.floor(now / 1000) > second) {
        second = Math.floor(now / 1000)
        now += 100
      }
      for (const answer of waiting.splice(0)) answer()
      isScheduled = false
    }
    return callsOnly(
      () =>
        new Promise(resolve => {
          waiting.push(() => resolve('Hello, World!'))
          if (!isScheduled) setImmediate(tick)
          isScheduled = true
        }),
    )
  }

  test('shows a stall of 100 ms each second, which a closed loop hides', async () => {
    const closed = await measureTask(createStalling(), calls, { loop: 'calls', ms: 2000 })
    expect(closed['p99']).toBeLessThan(5000)
    now = 0
    const open = await measureTask(createStalling(), calls, { loop: 'open', perSecond: 20_000, ms: 2000 })
    expect(open['p99']).toBeGreaterThan(50_000)
    expect(open['p50']).toBeLessThan(5000)
  })

  test('times each call from when it was due, even if it could not be sent then', async () => {
    const send = async (index: number): Promise<void> => {
      if (index === 0) now += 10
    }
    const latencies = await offer(send, 1, 20)
    expect(latencies).toHaveLength(20)
    // The first took 10 ms; the second was due after 1 ms, and had to wait until it could be sent.
    expect([...latencies.subarray(0, 2)]).toEqual([expect.closeTo(10, 1), expect.closeTo(9, 1)])
  })

  test('limits the number of unanswered calls', async () => {
    let unanswered = 0
    let most = 0
    const send = async (): Promise<void> => {
      most = Math.max(most, ++unanswered)
      await new Promise(resolve => setImmediate(resolve))
      now += 0.1
      unanswered--
    }
    await offer(send, 100, 2, 7)
    expect(most).toBe(7)
  })

  test('fails when a call fails', async () => {
    await expect(offer(() => Promise.reject(new Error('gone')), 1, 1)).rejects.toThrow('gone')
  })
})

test('an open loop fails when an answer is wrong', async () => {
  let answers = 0
  const wrong = callsOnly(async () => {
    await new Promise(resolve => setImmediate(resolve))
    return ++answers < 3 ? 'Hello, World!' : 'Bye'
  })
  await expect(async () => measureTask(wrong, calls, { loop: 'open', perSecond: 1000, ms: 4 })).rejects.toThrow('Bye')
})
