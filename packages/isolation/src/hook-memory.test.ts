// When a gate finds that its hook keeps too much: on the heap, or in bytes outside it, of this thread alone.
import { expect, test } from 'vitest'
import { MAX_HEAP, MAX_OUTSIDE, createMemoryCheck, type Used } from './hook-memory.js'

function looksAt(used: Used) {
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
