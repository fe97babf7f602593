// When a gate finds that its hook keeps too much: on the heap, or in bytes outside it, of this thread alone.
import { describe, expect, test } from 'vitest'
import { createHookWatch, createMemoryCheck, MAX_HEAP, MAX_OUTSIDE, type MemoryUsage } from './watchdog.js'

function looksAt(used: MemoryUsage) {
  const told: string[] = []
  let looks = 0
  const check = createMemoryCheck(
    what => told.push(what),
    () => (looks++, used),
  )
  return { told, looks: () => looks, turns: (count: number) => Array.from({ length: count }, check) }
}

test.each([
  ['a full heap', { used_heap_size: MAX_HEAP, external_memory: 0 }, ['768 MiB']],
  ['many bytes outside it', { used_heap_size: 1, external_memory: MAX_OUTSIDE }, ['2048 MiB of bytes']],
  ['less of both', { used_heap_size: MAX_HEAP - 1, external_memory: MAX_OUTSIDE - 1 }, []],
])('of %s it tells once', (_what, used, expected) => {
  const { told, turns } = looksAt(used)
  turns(1000)
  expect(told).toEqual(expected)
})

test('it looks every few turns, or after one that took long', async () => {
  const { looks, turns } = looksAt({ used_heap_size: 1 })
  turns(1)
  const before = looks()
  turns(160)
  expect(looks()).toBeGreaterThanOrEqual(before + 10)
  expect(looks()).toBeLessThan(before + 100)
  const busy = looks()
  await new Promise(resolve => setTimeout(resolve, 15))
  turns(1)
  expect(looks()).toBe(busy + 1)
})

test('bytes count for the thread that keeps them', () => {
  const kept: Uint8Array[] = []
  const told: string[] = []
  const check = createMemoryCheck(what => told.push(what))
  // Never written to, and so never taken from the machine.
  while (kept.length < 18) kept.push(new Uint8Array(MAX_OUTSIDE / 16))
  for (let i = 0; i < 20; i++) check()
  expect(told).toEqual(['2048 MiB of bytes'])
})

// What a gate writes for the host's watchdog, and when it has left the hook.

const setUp = () => {
  const memory = new SharedArrayBuffer(4)
  const word = new Int32Array(memory)
  return { watch: createHookWatch(memory), read: () => Atomics.load(word, 0) }
}
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('the watch', () => {
  test('has another number for each message, and zero once the turn is over', async () => {
    const { watch, read } = setUp()
    expect(read()).toBe(0)
    const seen = new Set<number>()
    for (let i = 0; i < 3; i++) {
      watch.enter()
      seen.add(read())
    }
    expect(seen.size).toBe(3)
    expect(seen).not.toContain(0)
    await settled()
    expect(read()).toBe(0)
    watch.enter()
    expect(read()).not.toBe(0)
    await settled()
    expect(read()).toBe(0)
  })

  test('does not leave before the last promise of the turn has settled', async () => {
    const { watch, read } = setUp()
    const during: number[] = []
    watch.enter()
    const chain = (async () => {
      for (let i = 0; i < 1000; i++) await Promise.resolve()
      during.push(read())
    })()
    await chain
    expect(during[0]).not.toBe(0)
    await settled()
    expect(read()).toBe(0)
  })

  test('stays inside for what enters while it leaves', async () => {
    const { watch, read } = setUp()
    const during: number[] = []
    watch.enter()
    // Behind its own microtask and before its tick.
    await Promise.resolve()
    process.nextTick(() => {
      watch.enter()
      void (async () => {
        for (let i = 0; i < 10; i++) await Promise.resolve()
        during.push(read())
      })()
    })
    await settled()
    expect(during[0]).not.toBe(0)
    expect(read()).toBe(0)
  })

  test('rests when it is told to', async () => {
    const { watch, read } = setUp()
    watch.enter()
    watch.rest()
    expect(read()).toBe(0)
    watch.enter()
    expect(read()).not.toBe(0)
    await settled()
    expect(read()).toBe(0)
  })
})

test('says each time that it has left', async () => {
  let left = 0
  const watch = createHookWatch(new SharedArrayBuffer(4), () => (left += 1))
  for (let i = 1; i <= 2; i++) {
    watch.enter()
    watch.enter()
    expect(left).toBe(i - 1)
    await settled()
    expect(left).toBe(i)
  }
})
