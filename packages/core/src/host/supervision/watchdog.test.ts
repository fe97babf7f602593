// What the watchdog makes of what gates write: looks in a row are counted, and no clock is read.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createWatchdog } from './watchdog.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const setUp = (debugged?: () => boolean) => {
  const watchdog = createWatchdog(1000, debugged)
  const memory = new SharedArrayBuffer(4)
  const stuck = vi.fn<() => void>()
  const forget = watchdog.watch(memory, stuck)
  const write = (value: number): void => void Atomics.store(new Int32Array(memory), 0, value)
  return { watchdog, stuck, forget, write, pass: (ms: number) => vi.advanceTimersByTime(ms) }
}

describe('the watchdog', () => {
  test('tells once of a gate that stays inside one message, after the limit and before a fourth more', () => {
    const { stuck, write, pass } = setUp()
    pass(5000)
    write(7)
    pass(1000)
    expect(stuck).not.toHaveBeenCalled()
    pass(250)
    expect(stuck).toHaveBeenCalledTimes(1)
    pass(5000)
    expect(stuck).toHaveBeenCalledTimes(1)
  })

  test('lets one go on that comes to another message, or comes out', () => {
    const { stuck, write, pass } = setUp()
    for (let i = 1; i < 20; i++) {
      write(i)
      pass(900)
    }
    write(0)
    pass(900)
    write(20)
    pass(900)
    expect(stuck).not.toHaveBeenCalled()
  })

  test('knows gates apart', () => {
    const { watchdog, stuck, write, pass } = setUp()
    const other = vi.fn<() => void>()
    watchdog.watch(new SharedArrayBuffer(4), other)
    write(1)
    pass(1250)
    expect(stuck).toHaveBeenCalledTimes(1)
    expect(other).not.toHaveBeenCalled()
  })

  test('counts time in which the host stood still as one look', () => {
    const { stuck, write, pass } = setUp()
    write(1)
    pass(250)
    // As after a sleep of the machine: the clock is far on, and the timer has run once.
    vi.setSystemTime(Date.now() + 3_600_000)
    pass(250)
    expect(stuck).not.toHaveBeenCalled()
  })

  test('rests while a debugger listens, and counts anew behind it', () => {
    let debugging = true
    const { stuck, write, pass } = setUp(() => debugging)
    write(1)
    pass(2100)
    debugging = false
    expect(stuck).not.toHaveBeenCalled()
    pass(800)
    expect(stuck).not.toHaveBeenCalled()
    pass(500)
    expect(stuck).toHaveBeenCalledTimes(1)
  })

  test('has a timer only while there are gates', () => {
    const { watchdog, forget } = setUp()
    expect(vi.getTimerCount()).toBe(1)
    const two = watchdog.watch(new SharedArrayBuffer(4), () => {})
    expect(vi.getTimerCount()).toBe(1)
    forget()
    two()
    two()
    expect(vi.getTimerCount()).toBe(0)
    const { stuck, write, pass } = setUp()
    write(1)
    pass(1250)
    expect(stuck).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})
