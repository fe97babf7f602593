// The running time of a thread, on clocks of the test's own.
import { expect, test } from 'vitest'
import type { Worker } from 'node:worker_threads'
import { createRunningTime } from './running-time.js'

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
