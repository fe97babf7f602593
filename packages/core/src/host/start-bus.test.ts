// The calls before a program's first one: every one is answered, and nothing of them is left.
import { tracingChannel } from 'node:diagnostics_channel'
import { beforeEach, expect, test, vi } from 'vitest'

let warmUpClient: typeof import('./start-bus.js').warmUpClient
beforeEach(async () => {
  vi.resetModules()
  vi.clearAllMocks()
  ;({ warmUpClient } = await import('./start-bus.js'))
})

/** Each end of a ring has an interval until it is closed. */
const opened = vi.spyOn(globalThis, 'setInterval')
const closed = vi.spyOn(globalThis, 'clearInterval')

test('a client makes its calls once in a thread, and closes', async () => {
  const first = warmUpClient()
  expect(warmUpClient()).toBe(first)
  await first
  expect(opened).toHaveBeenCalledTimes(2)
  const timers = opened.mock.results.map(({ value }) => value as unknown)
  await expect.poll(() => closed.mock.calls.flat()).toEqual(expect.arrayContaining(timers))
})

test('makes no call while calls are traced', async () => {
  const traced: unknown[] = []
  const subscribers = { start: (trace: unknown) => void traced.push(trace) }
  const calls = tracingChannel<unknown, object>('sallyport.invoke')
  calls.subscribe(subscribers as never)
  await warmUpClient()
  calls.unsubscribe(subscribers as never)
  expect(traced).toEqual([])
})
