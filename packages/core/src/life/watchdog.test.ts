// The watchdog over counters that the test writes: unchanged polls are counted, and the clock is not read.
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createRunningTime, watchCounter } from './watchdog.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const setUp = (isDebugged?: () => boolean) => {
  const memory = new SharedArrayBuffer(4)
  const onStuck = vi.fn<() => void>()
  const stopWatching = watchCounter(memory, 1000, onStuck, isDebugged)
  const write = (value: number): void => void Atomics.store(new Int32Array(memory), 0, value)
  return { onStuck, stopWatching, write, pass: (ms: number) => vi.advanceTimersByTime(ms) }
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
  read()
  const pass = (active: number, cpu: number): number | undefined => {
    clocks.active += active
    clocks.cpu += cpu
    return read()
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

test('a tenth counts of the time in which code waits for a core, or for something else', () => {
  expect(watch()(100, 0)).toBe(10)
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
    return read()
  }
  read()
  expect([pass(false), pass(true), pass(true), pass(false), pass(false)]).toEqual([10, undefined, undefined, 10, 20])
})

test('the time is unknown of a thread that does not tell', () => {
  expect(createRunningTime({ performance: undefined })()).toBeUndefined()
})
