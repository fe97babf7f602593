// The first of a second are told one by one, the others as a number; nothing that was added goes untold.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Throttle, REPORTS_PER_SECOND } from './throttle.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setUp() {
  const told: [number, number][] = []
  const limit = new Throttle<number>((latest, more) => told.push([latest, more]))
  const flood = (count: number) => {
    for (let i = 0; i < count; i++) limit.add(i)
  }
  return { limit, told, flood }
}

test('a few are told at once, each by itself', () => {
  const { told, flood } = setUp()
  flood(REPORTS_PER_SECOND)
  vi.advanceTimersByTime(5000)
  expect(told).toEqual(Array.from({ length: REPORTS_PER_SECOND }, (_, i) => [i, 0]))
})

test('of a flood the rest is told once, when the second is over, and then the next ones one by one', () => {
  const { told, flood } = setUp()
  flood(12_445)
  expect(told).toHaveLength(REPORTS_PER_SECOND)
  vi.advanceTimersByTime(1000)
  expect(told.slice(REPORTS_PER_SECOND)).toEqual([[12_444, 12_344]])
  flood(2)
  expect(told.slice(REPORTS_PER_SECOND + 1)).toEqual([
    [0, 0],
    [1, 0],
  ])
})

test('a thread that comes late to its timers tells the number before the next', () => {
  const { told, flood } = setUp()
  flood(REPORTS_PER_SECOND + 3)
  const late = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1500)
  flood(1)
  late.mockRestore()
  expect(told.slice(REPORTS_PER_SECOND)).toEqual([
    [REPORTS_PER_SECOND + 2, 2],
    [0, 0],
  ])
})

test('what is held back is told at the end', () => {
  const { limit, told, flood } = setUp()
  flood(REPORTS_PER_SECOND + 1)
  limit.flush()
  limit.flush()
  expect(told.at(-1)).toEqual([REPORTS_PER_SECOND, 0])
  expect(told).toHaveLength(REPORTS_PER_SECOND + 1)
})
