// Unused features cost a call nothing: commands without middleware and frontends without quotas are unchanged.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { wrapWithMiddleware } from './call-phases.js'
import { createQuotas } from './quotas.js'
import type { RunnableCommand } from './call-table.js'

const run = (): string => 'ran'
const createEntry = (method: string): [string, RunnableCommand] => [
  method,
  { method, owner: 'app', allow: '', deny: '', run },
]
const registry = new Map(['touch', 'read'].map(createEntry))
const log = pino({ level: 'silent' })

test('wrapWithMiddleware returns the handler itself when there is no middleware', () => {
  expect(wrapWithMiddleware([], 'touch', run)).toBe(run)
  expect(wrapWithMiddleware([(_call, next) => next()], 'touch', run)).not.toBe(run)
})

test('only frontends with a matching quota get a registry of their own, with only limited commands replaced', () => {
  expect(createQuotas([], registry, () => log).acquireRegistry('main')).toBe(registry)
  const quotas = createQuotas([{ labels: ['plugin-*'], commands: ['touch'], rate: 1 }], registry, () => log)
  expect(quotas.acquireRegistry('main')).toBe(registry)
  const limited = quotas.acquireRegistry('plugin-a')
  expect(limited.get('touch')).not.toBe(registry.get('touch'))
  expect(limited.get('read')).toBe(registry.get('read'))
  expect(quotas.acquireRegistry('plugin-a')).toBe(limited)
})

test('quotas of a released label are kept until they are full again', () => {
  let now = 0
  const quotas = createQuotas(
    [{ commands: ['touch'], rate: 1 }],
    registry,
    () => log,
    () => now,
  )
  const first = quotas.acquireRegistry('a')
  first.get('touch')!.run({}, { request: { headers: {} } } as never)
  quotas.releaseRegistry('a')
  quotas.acquireRegistry('b')
  expect(quotas.acquireRegistry('a')).toBe(first)
  quotas.releaseRegistry('a')
  now = 1000
  quotas.acquireRegistry('c')
  expect(quotas.acquireRegistry('a')).not.toBe(first)
})
