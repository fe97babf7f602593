// Times a hook and a seal, and changes nothing of what they give.
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Sealer } from '@sallyport/protocol'
import { expect, it } from 'vitest'
import { createHook } from '../hook/hook.js'
import { measureHook, measureSealer } from './metrics.js'

const times = () => createHistogram({ lowest: 64, highest: 3.6e12, figures: 2 })
const message = { cmd: 'greet', callback: 1, error: 2, payload: {}, options: {} }

it('a hook that responses at once costs no promise', () => {
  const read = { hook: times(), seal: times() }
  const hook = measureHook(
    createHook(given => given),
    read,
  )
  expect(hook(message, verdict => verdict.kind)).toBe('pass')
  expect([read.hook.count, read.seal.count]).toEqual([1, 0])
})

it('one that takes its time is timed until its answer, a rejection too', async () => {
  const read = { hook: times(), seal: times() }
  const hook = measureHook(
    createHook(async () => {
      await delay(20)
      return null
    }),
    read,
  )
  expect(await hook(message, verdict => verdict.kind)).toBe('reject')
  await delay(0)
  expect(read.hook.count).toBe(1)
  expect(read.hook.max).toBeGreaterThan(15e6)
})

it('a seal', () => {
  const read = { hook: times(), seal: times() }
  const sealed: unknown[] = []
  const sealer: Sealer = {
    seal: (...given) => {
      sealed.push(given)
      return new Uint8Array([7])
    },
  }
  expect(measureSealer(sealer, read).seal(1, 'body', 3)).toEqual(new Uint8Array([7]))
  expect(sealed).toEqual([[1, 'body', 3]])
  expect([read.hook.count, read.seal.count]).toEqual([0, 1])
})

it('without anybody who reads it, they are as they were', () => {
  const hook = createHook(null)
  const sealer: Sealer = { seal: () => new Uint8Array() }
  expect(measureHook(hook, undefined)).toBe(hook)
  expect(measureSealer(sealer, undefined)).toBe(sealer)
})
