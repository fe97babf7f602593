// Unused features cost a call nothing: commands without middleware and frontends without quotas are unchanged.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { wrapWithMiddleware } from './call-phases.js'
import { createQuotas } from './quotas.js'
import type { IncomingCall, RunnableCommand } from './call-table.js'

const run = (): string => 'ran'
const createEntry = (method: string): [string, RunnableCommand] => [
  method,
  { method, owner: 'app', allow: '', deny: '', run },
]
const registry = new Map(['touch', 'read'].map(createEntry))
const log = pino({ level: 'silent' })
const call = { request: { headers: {} } } as unknown as IncomingCall

test('wrapWithMiddleware returns the handler itself when there is no middleware', () => {
  expect(wrapWithMiddleware([], 'touch', run)).toBe(run)
  expect(wrapWithMiddleware([(_call, next) => next()], 'touch', run)).not.toBe(run)
})

test('only frontends with a matching quota have quotas, which limit matching commands alone', () => {
  expect(createQuotas([], registry, () => log).acquire('main')).toBe(undefined)
  const quotas = createQuotas([{ labels: ['plugin-*'], commands: ['touch'], calls: 1 }], registry, () => log)
  expect(quotas.acquire('main')).toBe(undefined)
  const limited = quotas.acquire('plugin-a')!
  for (const method of ['read', 'read', 'touch']) expect(limited.run(registry.get(method)!, {}, call)).toBe('ran')
  expect(() => limited.run(registry.get('touch')!, {}, call)).toThrow('is spent')
  expect(quotas.acquire('plugin-a')).toBe(limited)
})

test('quotas of a released label are kept until they are full again', () => {
  let now = 0
  const quotas = createQuotas(
    [{ commands: ['touch'], rate: 1 }],
    registry,
    () => log,
    () => now,
  )
  const first = quotas.acquire('a')!
  first.run(registry.get('touch')!, {}, call)
  quotas.release('a')
  quotas.acquire('b')
  expect(quotas.acquire('a')).toBe(first)
  quotas.release('a')
  now = 1000
  quotas.acquire('c')
  expect(quotas.acquire('a')).not.toBe(first)
})
