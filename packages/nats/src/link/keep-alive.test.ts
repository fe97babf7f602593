// When a peer is given up: by its silence, or sooner where somebody says that it is gone, who may be anybody.
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { KeepAlive } from './keep-alive.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function start(every: number): { pulse: KeepAlive; pings: () => number; lost: number[] } {
  let pings = 0
  const lost: number[] = []
  const pulse = new KeepAlive(
    every,
    () => pings++,
    silence => {
      lost.push(silence)
      pulse.stop()
    },
  )
  onTestFinished(() => pulse.stop())
  return { pulse, pings: () => pings, lost }
}

test('a silent peer is asked three times, and then lost', () => {
  const { pings, lost } = start(1000)
  vi.advanceTimersByTime(3999)
  expect([pings(), lost]).toEqual([3, []])
  vi.advanceTimersByTime(1)
  expect([pings(), lost]).toEqual([3, [4000]])
})

test('one that is said to be gone is lost sooner', () => {
  const { pulse, pings, lost } = start(2000)
  pulse.doubt()
  pulse.doubt()
  expect(pings()).toBe(1)
  vi.advanceTimersByTime(1001)
  expect(lost).toEqual([1000])
})

test('who says so in vain is believed less each time, and in the end not at all', () => {
  const { pulse, pings, lost } = start(2000)
  for (const patience of [1000, 2000, 4000]) {
    pulse.doubt()
    vi.advanceTimersByTime(patience - 1)
    pulse.heard()
  }
  const asked = pings()
  for (let count = 0; count < 100; count++) pulse.doubt()
  expect([pings(), lost]).toEqual([asked, []])
  vi.advanceTimersByTime(10_000)
  expect(lost).toEqual([8000])
})
