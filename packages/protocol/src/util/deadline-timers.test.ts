import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeadlineTimers } from './deadline-timers.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('expires items at their deadlines, and not those that were removed', () => {
  const expired: string[] = []
  const deadlines = new DeadlineTimers<string>(16, item => void expired.push(item))
  deadlines.add('late', 1000)
  deadlines.add('soon', 100)
  deadlines.add('removed', 100)
  deadlines.add('never', 2 ** 31 - 1)
  deadlines.remove('removed')
  vi.advanceTimersByTime(99)
  expect(expired).toEqual([])
  vi.advanceTimersByTime(50)
  expect(expired).toEqual(['soon'])
  vi.advanceTimersByTime(1000)
  expect(expired).toEqual(['soon', 'late'])
  deadlines.clear()
  expect(vi.getTimerCount()).toBe(0)
})

test('sets one timer for many items, and none when items are removed', () => {
  const deadlines = new DeadlineTimers<number>(16, () => {})
  // Vitest restores a spy again after the file: that would leave the mocked function to the files that follow.
  const set = vi.fn<typeof setTimeout>(setTimeout)
  vi.stubGlobal('setTimeout', set)
  for (let i = 0; i < 1000; i++) {
    deadlines.add(i, 30_000)
    if (i % 2) deadlines.remove(i)
  }
  expect(set).toHaveBeenCalledTimes(1)
  // Before the clock is real again: the stub would hide the mocked function from `useRealTimers`.
  vi.unstubAllGlobals()
  vi.advanceTimersByTime(60_000)
  expect(vi.getTimerCount()).toBe(0)
})

test('an item that expires can add another', () => {
  const expired: number[] = []
  const deadlines: DeadlineTimers<number> = new DeadlineTimers(16, item => {
    expired.push(item)
    if (item < 3) deadlines.add(item + 1, 10)
  })
  deadlines.add(1, 10)
  vi.advanceTimersByTime(200)
  expect(expired).toEqual([1, 2, 3])
})

test('expires items of equal deadlines in the order in which they were added', () => {
  const expired: number[] = []
  const deadlines = new DeadlineTimers<number>(1, item => void expired.push(item))
  for (let i = 0; i < 5; i++) {
    deadlines.add(i, 20)
    vi.advanceTimersByTime(3)
  }
  vi.advanceTimersByTime(20)
  expect(expired).toEqual([0, 1, 2, 3, 4])
})

test('sets no timer for an endless deadline', () => {
  const deadlines = new DeadlineTimers<string>(1, () => {})
  deadlines.add('endless', Infinity)
  expect(vi.getTimerCount()).toBe(0)
  deadlines.remove('endless')
})

test('does not expire an item that the callback of another has removed', () => {
  const expired: string[] = []
  const deadlines: DeadlineTimers<string> = new DeadlineTimers(16, item => {
    expired.push(item)
    deadlines.remove('second')
  })
  deadlines.add('first', 10)
  deadlines.add('second', 10)
  vi.advanceTimersByTime(100)
  expect(expired).toEqual(['first'])
})
