// Time for which code ran, on a clock of the test's own.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchSilence } from './silence.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function watch({ timeout = 0, isReady = true } = {}) {
  const code = { running: isReady ? 7 : undefined }
  const onSilent = vi.fn<() => void>()
  const stop = watchSilence(timeout, () => code.running, onSilent)
  const run = (ms: number, share: number): void => {
    for (let at = 0; at < ms; at++) {
      if (code.running !== undefined) code.running += share
      vi.advanceTimersByTime(1)
    }
  }
  return { code, onSilent, stop, run }
}

test('code that runs all the time is silent after 20 ms, once', () => {
  const { onSilent, run } = watch()
  run(19, 1)
  expect(onSilent).not.toHaveBeenCalled()
  run(2, 1)
  expect(onSilent).toHaveBeenCalledOnce()
  run(1000, 1)
  expect(onSilent).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

test('code that gets a tenth of a core has ten times as long to answer', () => {
  const { onSilent, run } = watch()
  run(190, 0.1)
  expect(onSilent).not.toHaveBeenCalled()
  run(20, 0.1)
  expect(onSilent).toHaveBeenCalledOnce()
})

test('code that waits for something, or has answered, is never silent', () => {
  const waiting = watch()
  waiting.run(10_000, 0)
  expect(waiting.onSilent).not.toHaveBeenCalled()
  const answering = watch()
  answering.run(15, 1)
  answering.code.running = undefined
  answering.run(10_000, 1)
  expect(answering.onSilent).not.toHaveBeenCalled()
})

test('an answer that this thread has not read yet counts', () => {
  const onSilent = vi.fn<() => void>()
  const read = vi.fn<() => number | undefined>().mockReturnValueOnce(0).mockReturnValueOnce(100)
  watchSilence(0, read.mockReturnValue(undefined), onSilent)
  vi.advanceTimersByTime(10_000)
  expect(read.mock.results.length).toBeGreaterThan(3)
  expect(onSilent).not.toHaveBeenCalled()
})

test('code that becomes ready later has its time from then on', () => {
  const { code, onSilent, run } = watch({ isReady: false })
  run(100, 1)
  code.running = 5000
  run(19, 1)
  expect(onSilent).not.toHaveBeenCalled()
  run(20, 1)
  expect(onSilent).toHaveBeenCalledOnce()
})

test('the time of the close comes first', () => {
  const { onSilent, run } = watch({ timeout: 500 })
  run(500 + 19, 1)
  expect(onSilent).not.toHaveBeenCalled()
  run(2, 1)
  expect(onSilent).toHaveBeenCalledOnce()
})

test('nothing is watched any more after the end', () => {
  const { onSilent, stop, run } = watch({ timeout: 50 })
  stop()
  expect(vi.getTimerCount()).toBe(0)
  run(1000, 1)
  expect(onSilent).not.toHaveBeenCalled()
})
