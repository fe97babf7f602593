// The polling policy, with a clock of the test's own: it polls a hot loop, never sparse traffic, and less and less where
// polls find nothing.
import { describe, expect, it } from 'vitest'
import { RingPolling } from '../../src/ring-polling.js'

function setUp() {
  const polling = new RingPolling()
  let now = 1000
  return {
    polling,
    pass: (milliseconds: number) => (now += milliseconds),
    /** Frames by the doorbell, each so long after the one before. */
    arrive(count: number, gap: number) {
      for (let i = 0; i < count; i++) polling.woken((now += gap))
    },
    /** Polls until the policy gives up: how long that took. */
    pollInVain() {
      const began = now
      polling.start(now)
      while (polling.mayGoOn(now)) now += 0.001
      return now - began
    },
    mayStart: () => polling.mayStart(now),
    found: () => polling.found(now),
  }
}

describe('the polling policy', () => {
  it('begins asleep, and polls once frames come close together', () => {
    const { arrive, mayStart } = setUp()
    expect(mayStart()).toBe(false)
    arrive(1, 0)
    expect(mayStart()).toBe(false)
    arrive(20, 0.05)
    expect(mayStart()).toBe(true)
  })

  it.each([0.3, 1, 4, 1000])('never polls for frames that come every %d ms', gap => {
    const { arrive, mayStart } = setUp()
    for (let i = 0; i < 100; i++) {
      arrive(1, gap)
      expect(mayStart()).toBe(false)
    }
  })

  it('forgets a hot loop at the first long silence, and a long silence within some dozen frames', () => {
    const { arrive, mayStart } = setUp()
    arrive(50, 0.01)
    expect(mayStart()).toBe(true)
    arrive(1, 10)
    expect(mayStart()).toBe(false)
    arrive(1, 3_600_000)
    arrive(20, 0.01)
    expect(mayStart()).toBe(true)
  })

  it('polls a few gaps long, and never longer than 300 µs', () => {
    const { arrive, pollInVain } = setUp()
    arrive(50, 0.01)
    expect(pollInVain()).toBeCloseTo(0.05, 2)
    const slow = setUp()
    slow.arrive(100, 0.2)
    expect(slow.pollInVain()).toBeCloseTo(0.3, 2)
  })

  it('is forbidden to poll for twice as long after each poll in vain, up to a second', () => {
    const { arrive, pollInVain, pass, mayStart } = setUp()
    arrive(50, 0.01)
    for (const penalty of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000]) {
      pollInVain()
      pass(penalty - 0.01)
      expect(mayStart()).toBe(false)
      pass(0.02)
      expect(mayStart()).toBe(true)
    }
  })

  it('forgives after 64 polls that found something, with none in vain', () => {
    const { arrive, pollInVain, pass, mayStart, found } = setUp()
    arrive(50, 0.01)
    for (let i = 0; i < 5; i++) pollInVain()
    for (let i = 0; i < 65; i++) {
      pass(0.01)
      found()
    }
    pollInVain()
    pass(1.01)
    expect(mayStart()).toBe(true)
  })
})
