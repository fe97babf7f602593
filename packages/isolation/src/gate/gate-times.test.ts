import { createHistogram } from 'node:perf_hooks'
import { SamplingTimer } from '@sallyport/protocol/internal/util'
import { expect, it, onTestFinished, vi } from 'vitest'
import { call, send, setUp } from '../../test/gate.js'
import type { HookFunction } from '../hook/hook.js'

/** Sends one call through a gate. Returns the durations of the hook and of sealing. */
async function measure(hook: HookFunction) {
  const create = () => createHistogram({ lowest: 64, highest: 3.6e12, figures: 2 })
  const times = { hook: create(), seal: create() }
  const timers = { hook: new SamplingTimer(() => times.hook), seal: new SamplingTimer(() => times.seal) }
  const { frontendLink, records } = setUp(hook, undefined, timers)
  send(frontendLink, call(1))
  await expect.poll(() => records.length).toBe(1)
  return times
}

it('measures a synchronous hook, and each record', async () => {
  const times = await measure(message => message)
  expect([times.hook.count, times.seal.count]).toEqual([1, 1])
})

it('measures an asynchronous hook until its verdict', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  // A start at 0 is no start.
  vi.advanceTimersByTime(1)
  const times = await measure(async () => {
    await new Promise(setImmediate)
    vi.advanceTimersByTime(20)
    return null
  })
  expect([times.hook.count, times.seal.count]).toEqual([1, 1])
  expect(times.hook.max).toBeGreaterThan(15e6)
})
