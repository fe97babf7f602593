import { isBusError } from '@sallyport/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Deadlines, getTimeout } from './call-table.js'

describe('deadlines', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('pass one by one, and not for what was taken out', () => {
    const expired: string[] = []
    const deadlines = new Deadlines<string>(item => void expired.push(item))
    deadlines.add('late', 1000)
    deadlines.add('soon', 100)
    deadlines.add('ended', 100)
    deadlines.add('never', 2 ** 31 - 1)
    deadlines.remove('ended')
    vi.advanceTimersByTime(99)
    expect(expired).toEqual([])
    vi.advanceTimersByTime(50)
    expect(expired).toEqual(['soon'])
    vi.advanceTimersByTime(1000)
    expect(expired).toEqual(['soon', 'late'])
    deadlines.clear()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('share a timer, however many there are, and leave it alone as they end', () => {
    const deadlines = new Deadlines<number>(() => {})
    const set = vi.spyOn(globalThis, 'setTimeout')
    for (let i = 0; i < 1000; i++) {
      deadlines.add(i, 30_000)
      if (i % 2) deadlines.remove(i)
    }
    expect(set).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(60_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('one that passes may add another', () => {
    const expired: number[] = []
    const deadlines: Deadlines<number> = new Deadlines(item => {
      expired.push(item)
      if (item < 3) deadlines.add(item + 1, 10)
    })
    deadlines.add(1, 10)
    vi.advanceTimersByTime(200)
    expect(expired).toEqual([1, 2, 3])
  })
})

test('a header is whole milliseconds, or a mistake', () => {
  expect(getTimeout({})).toBeUndefined()
  expect(getTimeout({ 'sallyport-timeout': '0' })).toBe(0)
  expect(getTimeout({ 'sallyport-timeout': '2147483647' })).toBe(2 ** 31 - 1)
  const refused = expect.toSatisfy(error => isBusError(error, 'InvalidParams')) as unknown
  for (const text of ['', '-1', 'NaN', '1.5', '1e3', '0x10', ' 1', '2147483648', '9'.repeat(1000), 'Infinity'])
    expect(() => getTimeout({ 'sallyport-timeout': text })).toThrow(refused as Error)
})
