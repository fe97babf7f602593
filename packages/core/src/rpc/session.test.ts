// A session whose messages take long lets others have their turn, however few they are.
import { afterEach, expect, test, vi } from 'vitest'
import { ReadScheduler } from './session.js'

afterEach(() => vi.restoreAllMocks())

/** Adds 20 frames of one message that takes 100 ms. Returns how many messages are served in one tick. */
function countServed(bytes: number): number {
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  let served = 0
  const reads: ReadScheduler = new ReadScheduler({ pause() {}, resume() {} }, serve)
  function serve(): void {
    for (; reads.isReady; served++, now += 100) reads.take()
  }
  for (let i = 0; i < 20; i++) if (reads.add([i], bytes)) serve()
  reads.stop()
  return served
}

test('pauses soon if few large messages take long', () => {
  expect(countServed(60_000)).toBe(5)
})
