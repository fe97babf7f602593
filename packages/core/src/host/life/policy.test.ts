import { expect, test } from 'vitest'
import { nextRestart, NO_RESTARTS, type RestartHistory, resolveSupervision } from './policy.js'

const supervision = resolveSupervision('permanent', { intensity: Infinity, period: 60_000 })

test('delays double up to a maximum, and begin again after a period without a restart', () => {
  let history: RestartHistory = NO_RESTARTS
  let now = 0
  const next = (lasted: number, random = 0): number => {
    now += history.delay + lasted
    history = nextRestart(history, true, supervision, now, random)!
    return history.delay
  }
  expect(Array.from({ length: 8 }, () => next(0))).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000])
  for (let i = 0; i < 2000; i++) expect(next(0)).toBe(5000)
  expect(next(59_999)).toBe(5000)
  expect([next(60_000), next(0)]).toEqual([100, 200])
  // Up to a half is left out, so that peers do not come back in step.
  expect([next(60_000, 0.999), next(0, 0.999)]).toEqual([50, 100])
})
