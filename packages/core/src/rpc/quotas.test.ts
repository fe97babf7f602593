// The budget of calls in a frontend's life, when it is whole again, and which quota the log of a refused call names.
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { CallQuota } from '../contract/host-core.js'
import type { IncomingCall } from './call-table.js'
import { createQuotas, type Quotas } from './quotas.js'
import type { RunnableCommand } from './runnable-command.js'

const touch: RunnableCommand = { method: 'touch', owner: 'app', allow: '', deny: '', run: () => 'touched' }
const call = { signal: new AbortController().signal, request: { headers: {} } } as unknown as IncomingCall

function begin(comesAndGoes: boolean) {
  const clock = { now: 0 }
  const quotas: Quotas = createQuotas(
    [{ calls: 2 }],
    new Map([['touch', touch]]),
    () => ({ warn() {} }) as never,
    () => clock.now,
  )
  /** Returns how many of three calls are allowed in one session of `main`, which lasts a minute. */
  const visit = (): number => {
    const command = quotas.acquireRegistry('main', comesAndGoes).get('touch')!
    clock.now += 60_000
    let allowed = 0
    try {
      for (; allowed < 3; allowed++) command.run({}, call)
    } catch {}
    quotas.releaseRegistry('main')
    return allowed
  }
  return { clock, quotas, visit }
}

test('a page that comes back soon goes on with its budget, and after 30 s without one the next has its own', () => {
  const { clock, visit } = begin(true)
  expect(visit()).toBe(2)
  clock.now += 29_999
  expect(visit()).toBe(0)
  clock.now += 30_000
  expect(visit()).toBe(2)
})

test('as long as one page of a label is there, no other renews their budget', () => {
  const { clock, quotas, visit } = begin(true)
  quotas.acquireRegistry('main', true)
  expect(visit()).toBe(2)
  clock.now += 60_000
  expect(visit()).toBe(0)
  quotas.releaseRegistry('main')
  clock.now += 30_000
  expect(visit()).toBe(2)
})

test('a frontend of the host goes on with its budget however late it restarts, until its life ends', () => {
  const { clock, quotas, visit } = begin(false)
  expect(visit()).toBe(2)
  clock.now += 600_000
  expect(visit()).toBe(0)
  quotas.endLife('main')
  expect(visit()).toBe(2)
})

test('budgets of pages that do not come back are forgotten', () => {
  const { clock, quotas, visit } = begin(true)
  const first = quotas.acquireRegistry('main', true)
  quotas.releaseRegistry('main')
  visit()
  clock.now += 30_000
  quotas.acquireRegistry('other', true)
  expect(quotas.acquireRegistry('main', true)).not.toBe(first)
})

test('the log of a refused call names the quota that refuses, or has to be waited for longest', () =>
  rows<[string, readonly CallQuota[], string, object]>([
    ['has to be waited for longest', [{ rate: 1 }, { rate: 0.1 }], '6/min', { retryAfter: 10_000 }],
    ['refuses, if a slower one waits', [{ rate: 0.1, overflow: 'wait' }, { rate: 1 }], '1/s', { retryAfter: 1000 }],
  ])(async (_name, callQuotas, quota, data) => {
    const logged: unknown[] = []
    const log = { warn: (line: { quota: string }) => void logged.push(line.quota) } as never
    const hold: RunnableCommand = { ...touch, run: () => new Promise(() => {}) }
    const quotas = createQuotas(
      callQuotas,
      new Map([['touch', hold]]),
      () => log,
      () => 0,
    )
    const command = quotas.acquireRegistry('main').get('touch')!
    void command.run({}, call)
    expect(() => command.run({}, call)).toThrow(expect.objectContaining({ reason: 'Overloaded', data }) as Error)
    expect(logged).toEqual([quota])
  }))
