import { afterEach, expect, test, vi } from 'vitest'
import { CoreClock } from './core-clock.js'

afterEach(() => vi.restoreAllMocks())

function clockAt(...arrivals: number[]): CoreClock {
  const clock = new CoreClock()
  const now = vi.spyOn(performance, 'now')
  clock.start()
  for (const at of arrivals) {
    now.mockReturnValueOnce(at)
    clock.tick()
  }
  return clock
}

test('times lie between arrivals: µs, and calls per second', () => {
  expect(clockAt(10, 11, 12, 16).stop()).toEqual({ p50: 1000, p99: expect.closeTo(3940), rate: 500 })
})

test('a new start forgets what came before', () => {
  const clock = clockAt(1, 2)
  clock.start()
  expect(() => clock.stop()).toThrow('core has seen 0 calls')
})

test('one call has no time', () => {
  expect(() => clockAt(1).stop()).toThrow('core has seen 1 calls')
})
