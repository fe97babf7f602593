import { createHistogram } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Sealer } from '@sallyport/protocol/internal'
import { expect, it } from 'vitest'
import { createHook } from '../hook/hook.js'
import { measureHook, measureSealer } from './metrics.js'

const times = () => createHistogram({ lowest: 64, highest: 3.6e12, figures: 2 })
const message = { cmd: 'greet', callback: 1, error: 2, payload: {}, options: {} }

it('measures a synchronous hook without creating a promise', () => {
  const read = { hook: times(), seal: times() }
  const hook = measureHook(
    createHook(received => received),
    read,
  )
  expect(hook(message, verdict => verdict.kind)).toBe('pass')
  expect([read.hook.count, read.seal.count]).toEqual([1, 0])
})

it('measures an asynchronous hook until its verdict', async () => {
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

it('measures the sealing of a record', () => {
  const read = { hook: times(), seal: times() }
  const sealed: unknown[] = []
  const sealer: Sealer = {
    seal: (...args) => {
      sealed.push(args)
      return new Uint8Array([7])
    },
  }
  expect(measureSealer(sealer, read).seal(1, 'body', 3)).toEqual(new Uint8Array([7]))
  expect(sealed).toEqual([[1, 'body', 3]])
  expect([read.hook.count, read.seal.count]).toEqual([0, 1])
})

it('returns the same hook and sealer without histograms', () => {
  const hook = createHook(null)
  const sealer: Sealer = { seal: () => new Uint8Array() }
  expect(measureHook(hook, undefined)).toBe(hook)
  expect(measureSealer(sealer, undefined)).toBe(sealer)
})
