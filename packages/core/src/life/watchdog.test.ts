// The watchdog over counters that the test writes: unchanged polls are counted, and the clock is not read.
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createRunningTime, watchCounter } from './watchdog.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const setUp = (isDebugged?: () => boolean, thread = {}) => {
  const memory = new SharedArrayBuffer(8)
  const onStuck = vi.fn<() => void>()
  const stopWatching = watchCounter(memory, 1000, onStuck, thread, isDebugged)
  const write = (value: number, word = 0): void => void Atomics.store(new Int32Array(memory), word, value)
  return { onStuck, stopWatching, write, pass: (ms: number) => vi.advanceTimersByTime(ms + 1) }
}

describe('the watchdog', () => {
  test('reports a gate once when one message takes longer than the timeout, at most a quarter late', () => {
    const { onStuck, write, pass } = setUp()
    pass(5000)
    write(7)
    pass(1000)
    expect(onStuck).not.toHaveBeenCalled()
    pass(250)
    expect(onStuck).toHaveBeenCalledTimes(1)
    pass(5000)
    expect(onStuck).toHaveBeenCalledTimes(1)
  })

  test('does not report a gate that goes on to another message or becomes idle', () => {
    const { onStuck, write, pass } = setUp()
    for (let i = 1; i < 20; i++) {
      write(i)
      pass(900)
    }
    write(0)
    pass(900)
    write(20)
    pass(900)
    expect(onStuck).not.toHaveBeenCalled()
  })

  test('counts the time during which the host was suspended as one poll', () => {
    const { onStuck, write, pass } = setUp()
    write(1)
    pass(250)
    // The machine was asleep: the clock jumped, and the timer ran once.
    vi.setSystemTime(Date.now() + 3_600_000)
    pass(250)
    expect(onStuck).not.toHaveBeenCalled()
  })

  test('pauses while a debugger is attached, and counts from zero afterwards', () => {
    let debugging = true
    const { onStuck, write, pass } = setUp(() => debugging)
    write(1)
    pass(2100)
    debugging = false
    expect(onStuck).not.toHaveBeenCalled()
    pass(800)
    expect(onStuck).not.toHaveBeenCalled()
    pass(500)
    expect(onStuck).toHaveBeenCalledTimes(1)
  })

  test('leaves out the time in which a process could not run, as its relay says', () => {
    const { onStuck, write, pass } = setUp()
    write(1)
    for (let at = 0; at < 20; at++) {
      write(249 * at, 1)
      pass(249)
    }
    expect(onStuck).not.toHaveBeenCalled()
    pass(1000)
    expect(onStuck).toHaveBeenCalledTimes(1)
  })

  test('does not report a member whose neighbors take turns', () => {
    let entries = 0
    const { onStuck, write, pass } = setUp(() => false, { readEntries: () => entries })
    write(1)
    for (; entries < 20; entries++) pass(900)
    expect(onStuck).not.toHaveBeenCalled()
    pass(1500)
    expect(onStuck).toHaveBeenCalledTimes(1)
  })

  test('has a timer only while it watches gates', () => {
    const { stopWatching } = setUp()
    expect(vi.getTimerCount()).toBe(1)
    stopWatching()
    stopWatching()
    expect(vi.getTimerCount()).toBe(0)
    const { onStuck, write, pass } = setUp()
    write(1)
    pass(1250)
    expect(onStuck).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})

function watch() {
  const clocks = { active: 5000, cpu: 700 }
  const performance = { eventLoopUtilization: () => ({ active: clocks.active }) } as Worker['performance']
  const read = createRunningTime({ performance, readProcessCpuMs: () => clocks.cpu })
  read(10)
  const pass = (active: number, cpu: number): number | undefined => {
    clocks.active += active
    clocks.cpu += cpu
    return read(100)
  }
  return pass
}

test('code that computes runs all the time', () => {
  const pass = watch()
  expect([pass(10, 10), pass(10, 12)]).toEqual([10, 20])
})

test('a thread that waits to be woken does not run, whatever others of its process compute', () => {
  expect(watch()(0, 100)).toBe(0)
})

test('a tenth counts of the time in which code waits for a core, or for something else, and of one turn if this process was stopped', () => {
  const pass = watch()
  expect([pass(100, 0), pass(30_000, 0)]).toEqual([10, 20])
})

test('the time counts not in which a neighbor runs, or has run', () => {
  const clock = { now: 0 }
  const neighbor = { isHeld: false, entries: 0 }
  const read = createRunningTime({
    performance: { eventLoopUtilization: () => ({ active: clock.now }) } as Worker['performance'],
    readProcessCpuMs: () => clock.now,
    get isHeld() {
      return neighbor.isHeld
    },
    readEntries: () => neighbor.entries,
  })
  const pass = (change: Partial<typeof neighbor>): number | undefined => {
    Object.assign(neighbor, change)
    clock.now += 10
    return read(10)
  }
  expect([pass({}), pass({}), pass({ isHeld: true }), pass({ isHeld: false, entries: 1 }), pass({})]).toEqual([
    0, 10, 10, 10, 20,
  ])
})

test('the time of others that come to share its loop is not that of a thread', () => {
  let [active, isShared] = [5000, false]
  const performance = { eventLoopUtilization: () => ({ active }) } as Worker['performance']
  const thread = {
    get performance() {
      return isShared ? undefined : performance
    },
    readProcessCpuMs: () => active,
  }
  const read = createRunningTime(thread)
  const pass = (shared: boolean): number | undefined => {
    isShared = shared
    active += 10
    return read(10)
  }
  read(10)
  expect([pass(false), pass(true), pass(true), pass(false), pass(false)]).toEqual([10, undefined, undefined, 10, 20])
})

test('the time is unknown of a thread that does not tell', () => {
  expect(createRunningTime({ performance: undefined })(10)).toBeUndefined()
})
