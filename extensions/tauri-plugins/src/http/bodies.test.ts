import { PassThrough } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { ResponseBody } from './bodies.js'

afterEach(() => void vi.useRealTimers())

test('a body is kept if core was suspended, and closed once nobody has read it for its time', async () => {
  vi.useFakeTimers()
  const onEnd = vi.fn<() => void>()
  const stream = new PassThrough()
  const body = new ResponseBody(stream, { maxBytes: 10, idleMs: 60_000, url: 'http://a', onEnd })
  stream.write('a')
  vi.advanceTimersByTime(59_000)
  const { signal } = new AbortController()
  expect((await body.read(signal)).length).toBe(2)
  // The next turn is late, and nothing was read meanwhile.
  vi.advanceTimersToNextTimer()
  vi.advanceTimersByTime(50_000)
  expect(onEnd).not.toHaveBeenCalled()
  vi.advanceTimersByTime(15_000)
  expect(onEnd).toHaveBeenCalledOnce()
  await expect(body.read(signal)).rejects.toBe('response body timed out after 60000 ms')
})
