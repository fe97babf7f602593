// What nobody uses costs no call anything: a command without middleware, and a frontend without a quota, are what they were.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { wrapWithMiddleware } from './middleware.js'
import { createQuotas } from './quotas.js'
import type { RunnableCommand } from './registry.js'

const run = (): string => 'ran'
const named = (method: string): [string, RunnableCommand] => [
  method,
  { method, owner: 'app', allow: '', deny: '', run },
]
const registry = new Map(['touch', 'read'].map(named))
const log = pino({ level: 'silent' })

test('a command without middleware runs as it is', () => {
  expect(wrapWithMiddleware([], 'touch', run)).toBe(run)
  expect(wrapWithMiddleware([(_call, next) => next()], 'touch', run)).not.toBe(run)
})

test('a frontend that no quota is for has the commands of all, and one that some are for has the others of them', () => {
  expect(createQuotas([], registry, () => log).registryOf('main')).toBe(registry)
  const quotas = createQuotas([{ windows: ['plugin-*'], commands: ['touch'], rate: 1 }], registry, () => log)
  expect(quotas.registryOf('main')).toBe(registry)
  const own = quotas.registryOf('plugin-a')
  expect(own.get('touch')).not.toBe(registry.get('touch'))
  expect(own.get('read')).toBe(registry.get('read'))
  expect(quotas.registryOf('plugin-a')).toBe(own)
})

test('counts of labels that have gone are kept until they are full again, and no longer', () => {
  let now = 0
  const quotas = createQuotas(
    [{ commands: ['touch'], rate: 1 }],
    registry,
    () => log,
    () => now,
  )
  const first = quotas.registryOf('a')
  first.get('touch')!.run({}, { request: { headers: {} } } as never)
  quotas.closed('a')
  quotas.registryOf('b')
  expect(quotas.registryOf('a')).toBe(first)
  quotas.closed('a')
  now = 1000
  quotas.registryOf('c')
  expect(quotas.registryOf('a')).not.toBe(first)
})
