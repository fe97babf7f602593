import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { formatSuppressed, REPORTS_PER_SECOND, Throttle } from './throttle.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function createThrottle(perSecond?: number) {
  const emitted: [report: number, more: number][] = []
  const throttle = new Throttle<number>((latest, more) => emitted.push([latest, more]), perSecond)
  const flood = (count: number) => {
    for (let i = 0; i < count; i++) throttle.add(i)
  }
  return { throttle, emitted, flood }
}

test('emits a few reports immediately and individually', () => {
  const { emitted, flood } = createThrottle()
  flood(REPORTS_PER_SECOND)
  vi.advanceTimersByTime(5000)
  expect(emitted).toEqual(Array.from({ length: REPORTS_PER_SECOND }, (_, i) => [i, 0]))
})

test('emits the rest of a flood as one summary after a second, and the next reports individually', () => {
  const { emitted, flood } = createThrottle()
  flood(12_445)
  expect(emitted).toHaveLength(REPORTS_PER_SECOND)
  vi.advanceTimersByTime(1000)
  expect(emitted.slice(REPORTS_PER_SECOND)).toEqual([[12_444, 12_344]])
  flood(REPORTS_PER_SECOND)
  expect(emitted).toHaveLength(2 * REPORTS_PER_SECOND + 1)
})

test('emits the summary before the next report when a busy thread runs its timers late', () => {
  const { emitted, flood } = createThrottle()
  flood(REPORTS_PER_SECOND + 3)
  const late = performance.now() + 1500
  // Not a spy: Vitest restores it again after the file, and the files that follow would have the mocked clock.
  vi.stubGlobal('performance', { now: () => late })
  flood(1)
  vi.unstubAllGlobals()
  expect(emitted.slice(REPORTS_PER_SECOND)).toEqual([
    [REPORTS_PER_SECOND + 2, 2],
    [0, 0],
  ])
})

test('emits the summary once when it is flushed', () => {
  const { throttle, emitted, flood } = createThrottle()
  flood(REPORTS_PER_SECOND + 1)
  throttle.flush()
  throttle.flush()
  expect(emitted.at(-1)).toEqual([REPORTS_PER_SECOND, 0])
  expect(emitted).toHaveLength(REPORTS_PER_SECOND + 1)
})

describe('a throttle of one report a second', () => {
  test('emits the first report immediately, then one summary a second while reports come', () => {
    const { throttle, emitted } = createThrottle(1)
    for (let ms = 0; ms < 3000; ms += 100) {
      throttle.add(ms)
      vi.advanceTimersByTime(100)
    }
    expect(emitted).toEqual([
      [0, 0],
      [900, 8],
      [1900, 9],
      [2900, 9],
    ])
  })

  test('emits a report immediately after a quiet second', () => {
    const { throttle, emitted, flood } = createThrottle(1)
    flood(2)
    vi.advanceTimersByTime(2000)
    throttle.add(5)
    expect(emitted).toEqual([
      [0, 0],
      [1, 0],
      [5, 0],
    ])
  })

  test('counts a report for as many as it stands for', () => {
    const { throttle, emitted } = createThrottle(1)
    throttle.add(1, 3)
    throttle.add(2, 4)
    throttle.add(3, 5)
    throttle.flush()
    expect(emitted).toEqual([
      [1, 2],
      [3, 8],
    ])
  })
})

test('formats the number of suppressed reports, if there are any', () => {
  expect(formatSuppressed('denied', 0)).toBe('denied')
  expect(formatSuppressed('denied', 2)).toBe('denied, and 2 more')
})
