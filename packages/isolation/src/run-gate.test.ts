// The calls before a gate's first one: every one is passed on, and nothing of them is left.
import { expect, test, vi } from 'vitest'
import { warmUpGate } from './run-gate.js'

test('a gate passes its calls on, and both of its ends close', async () => {
  // Each end of a ring has an interval until it is closed.
  const opened = vi.spyOn(globalThis, 'setInterval')
  const closed = vi.spyOn(globalThis, 'clearInterval')
  await warmUpGate()
  expect(opened).toHaveBeenCalledTimes(2)
  const timers = opened.mock.results.map(({ value }) => value as unknown)
  await expect.poll(() => closed.mock.calls.flat()).toEqual(expect.arrayContaining(timers))
})
