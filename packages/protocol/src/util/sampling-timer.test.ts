import { createHistogram } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { SamplingTimer } from './sampling-timer.js'

const times = () => createHistogram({ lowest: 64, highest: 3.6e12, figures: 2 })

it('measures each of a few durations, in nanoseconds', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(5000)
  const histogram = times()
  const watch = new SamplingTimer(() => histogram)
  watch.end(watch.begin())
  const began = watch.begin()
  now.mockReturnValue(5020)
  watch.end(began)
  now.mockRestore()
  expect(histogram.count).toBe(2)
  expect(histogram.max).toBeGreaterThan(19e6)
  expect(histogram.max).toBeLessThan(21e6)
})

it('measures 500 durations of each second, and one in 251 of the rest', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(5000)
  const watch = new SamplingTimer(times)
  const timed = (count: number): number => Array.from({ length: count }, () => watch.begin()).filter(Boolean).length
  expect(timed(500)).toBe(500)
  expect(timed(2510)).toBe(10)
  now.mockReturnValue(6001)
  expect(timed(251)).toBe(1)
  expect(timed(499)).toBe(499)
  now.mockRestore()
})

it('measures a promise that resolves, but not one that rejects', async () => {
  const histogram = times()
  const watch = new SamplingTimer(() => histogram)
  watch.endWith(Promise.resolve(), watch.begin())
  watch.endWith(Promise.reject(new Error('no')), watch.begin())
  await turn()
  expect(histogram.count).toBe(1)
})
