import { afterEach, expect, test, vi } from 'vitest'
import { RateLimit } from './request-policy.js'

afterEach(() => void vi.useRealTimers())

test('a rate has its maximum in each second, which begins with its first request', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const limit = new RateLimit(2)
  const take = (): boolean[] => [limit.take(), limit.take(), limit.take()]
  expect(take()).toEqual([true, true, false])
  vi.advanceTimersByTime(999)
  expect(limit.take()).toBe(false)
  vi.advanceTimersByTime(1)
  expect(take()).toEqual([true, true, false])
})
