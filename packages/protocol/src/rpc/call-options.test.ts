import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CallProgress } from './call-options.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const watch = (progress: CallProgress): { hasExpired: boolean; stop(): void } => {
  const state = { hasExpired: false, stop: progress.watch(() => void (state.hasExpired = true)) }
  return state
}

test('expires when nothing has passed for its time', () => {
  const state = watch(new CallProgress({ idle: 1000 }))
  vi.advanceTimersByTime(999)
  expect(state.hasExpired).toBe(false)
  vi.advanceTimersByTime(2)
  expect(state.hasExpired).toBe(true)
})

test('begins anew with each item', () => {
  const progress = new CallProgress({ idle: 1000 })
  const state = watch(progress)
  for (let item = 0; item < 10; item++) {
    vi.advanceTimersByTime(900)
    progress.record()
  }
  expect([state.hasExpired, vi.getTimerCount()]).toEqual([false, 1])
  vi.advanceTimersByTime(1001)
  expect(state.hasExpired).toBe(true)
})

test('stands still while the other side waits for a reader', () => {
  const progress = new CallProgress({ idle: 1000 })
  let isAwaited = true
  progress.addReader(() => false)
  progress.addReader(() => isAwaited)
  const state = watch(progress)
  vi.advanceTimersByTime(10_500)
  isAwaited = false
  progress.record()
  vi.advanceTimersByTime(999)
  expect(state.hasExpired).toBe(false)
  vi.advanceTimersByTime(2)
  expect(state.hasExpired).toBe(true)
})

test('an item that arrived while this thread was suspended counts', async () => {
  const progress = new CallProgress({ idle: 1000 })
  const state = watch(progress)
  const late = performance.now() + 5000
  const clock = vi.spyOn(performance, 'now').mockReturnValue(late)
  vi.advanceTimersByTime(1000)
  // The loop runs timers before it reads.
  progress.record()
  await nextTurn()
  clock.mockRestore()
  expect([state.hasExpired, vi.getTimerCount()]).toEqual([false, 1])
})

test('leaves no timer behind, and reports its end once', () => {
  const progress = new CallProgress({ idle: 1000 })
  let ends = 0
  progress.onEnd(() => ends++)
  const state = watch(progress)
  state.stop()
  state.stop()
  expect([ends, vi.getTimerCount(), state.hasExpired]).toEqual([1, 0, false])
})
