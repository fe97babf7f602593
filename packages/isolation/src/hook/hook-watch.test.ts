import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createHookWatch, createMemoryCheck, MAX_HEAP, MAX_OUTSIDE, type MemoryUsage } from './hook-watch.js'

function checkUsage(usage: MemoryUsage) {
  const reports: string[] = []
  let reads = 0
  const check = createMemoryCheck(
    limit => reports.push(limit),
    () => (reads++, usage),
  )
  return { reports, countReads: () => reads, run: (count: number) => Array.from({ length: count }, check) }
}

test('the memory check reports a limit that was reached, once', () =>
  rows([
    ['the heap is full', { used_heap_size: MAX_HEAP, external_memory: 0 }, ['768 MiB']],
    [
      'there are too many bytes outside of the heap',
      { used_heap_size: 1, external_memory: MAX_OUTSIDE },
      ['2048 MiB of bytes'],
    ],
    ['both are below their limits', { used_heap_size: MAX_HEAP - 1, external_memory: MAX_OUTSIDE - 1 }, []],
  ])((_what, usage, expected) => {
    const { reports, run } = checkUsage(usage)
    run(1000)
    expect(reports).toEqual(expected)
  }))

test('the memory check reads the usage every few runs, and after a long run', () => {
  vi.useFakeTimers({ toFake: ['performance'], now: 60_000 })
  onTestFinished(() => void vi.useRealTimers())
  const { countReads, run } = checkUsage({ used_heap_size: 1 })
  run(1)
  const before = countReads()
  run(160)
  expect(countReads()).toBeGreaterThanOrEqual(before + 10)
  expect(countReads()).toBeLessThan(before + 100)
  const busy = countReads()
  vi.advanceTimersByTime(15)
  run(1)
  expect(countReads()).toBe(busy + 1)
})

test('the memory check counts the bytes of this thread', () => {
  const kept: Uint8Array[] = []
  const reports: string[] = []
  const check = createMemoryCheck(limit => reports.push(limit))
  // Never written, so the machine does not provide the memory.
  while (kept.length < 18) kept.push(new Uint8Array(MAX_OUTSIDE / 16))
  for (let i = 0; i < 20; i++) check()
  expect(reports).toEqual(['2048 MiB of bytes'])
})

const setUp = () => {
  const memory = new SharedArrayBuffer(4)
  const counter = new Int32Array(memory)
  return { watch: createHookWatch(memory), read: () => Atomics.load(counter, 0) }
}
const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('the counter of a hook watch', () => {
  test('has a different value for each message, and is zero after the tick', async () => {
    const { watch, read } = setUp()
    expect(read()).toBe(0)
    const seen = new Set<number>()
    for (let i = 0; i < 3; i++) {
      watch.enter()
      seen.add(read())
    }
    expect(seen.size).toBe(3)
    expect(seen).not.toContain(0)
    await nextTick()
    expect(read()).toBe(0)
    watch.enter()
    expect(read()).not.toBe(0)
    await nextTick()
    expect(read()).toBe(0)
  })

  test('is not zero before the last promise of the tick has settled', async () => {
    const { watch, read } = setUp()
    const during: number[] = []
    watch.enter()
    const chain = (async () => {
      for (let i = 0; i < 1000; i++) await Promise.resolve()
      during.push(read())
    })()
    await chain
    expect(during[0]).not.toBe(0)
    await nextTick()
    expect(read()).toBe(0)
  })

  test('is not zero when the hook is entered while it is being left', async () => {
    const { watch, read } = setUp()
    const during: number[] = []
    watch.enter()
    // Its tick comes right before the watch's, which a microtask adds, and its promises after both.
    process.nextTick(() => {
      watch.enter()
      void (async () => {
        for (let i = 0; i < 10; i++) await Promise.resolve()
        during.push(read())
      })()
    })
    await nextTick()
    expect(during[0]).not.toBe(0)
    expect(read()).toBe(0)
  })

  test('is zero once another hook of the thread is entered, in the same tick too, until the promises of both run', async () => {
    const [first, second] = [setUp(), setUp()]
    first.watch.enter()
    const during = Promise.resolve().then(() => [first.read() === 0, second.read() === 0])
    second.watch.enter()
    expect([first.read() === 0, second.read() === 0]).toEqual([true, false])
    expect(await during).toEqual([false, false])
    await nextTick()
    expect([first.read(), second.read()]).toEqual([0, 0])
  })

  test('is zero while the watch rests', async () => {
    const { watch, read } = setUp()
    watch.enter()
    watch.rest()
    expect(read()).toBe(0)
    watch.enter()
    expect(read()).not.toBe(0)
    await nextTick()
    expect(read()).toBe(0)
  })
})

test('a hook watch calls back each time that the hook was left', async () => {
  let left = 0
  const watch = createHookWatch(new SharedArrayBuffer(4))
  watch.onLeave = () => (left += 1)
  for (let i = 1; i <= 2; i++) {
    watch.enter()
    watch.enter()
    expect(left).toBe(i - 1)
    await nextTick()
    expect(left).toBe(i)
  }
})
