// The budget of calls in a frontend's life, when it is whole again, and which quota the log of a refused call names.
import { describe, expect, it, test } from 'vitest'
import type { IncomingCall, RunnableCommand } from './call-table.js'
import { createQuotas, Quota, type Quotas } from './quotas.js'

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
    const own = quotas.acquire('main', comesAndGoes)!
    clock.now += 60_000
    let allowed = 0
    try {
      for (; allowed < 3; allowed++) own.run(touch, {}, call)
    } catch {}
    quotas.release('main')
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
  quotas.acquire('main', true)
  expect(visit()).toBe(2)
  clock.now += 60_000
  expect(visit()).toBe(0)
  quotas.release('main')
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
  const first = quotas.acquire('main', true)
  quotas.release('main')
  visit()
  clock.now += 30_000
  quotas.acquire('other', true)
  expect(quotas.acquire('main', true)).not.toBe(first)
})

test('the log of a refused call names the quota that has to be waited for longest', () => {
  const logged: unknown[] = []
  const log = { warn: (line: { quota: string }) => void logged.push(line.quota) } as never
  const rates = [{ rate: 1 }, { rate: 0.1 }]
  const quotas = createQuotas(
    rates,
    new Map([['touch', touch]]),
    () => log,
    () => 0,
  )
  const own = quotas.acquire('main')!
  void own.run(touch, {}, call)
  const refused = { reason: 'Overloaded', data: { code: 'RATE_LIMITED', retryAfter: 10_000 } }
  expect(() => own.run(touch, {}, call)).toThrow(expect.objectContaining(refused) as Error)
  expect(logged).toEqual(['6/min'])
})

// The token bucket and the number of running calls, in virtual time.

/** Begins as many calls as the quota allows. Returns their number. */
function fill(quota: Quota, now: number): number {
  let begun = 0
  while (!quota.isBusy && quota.getRetryAfter(now) === 0 && begun < 1000) {
    quota.begin()
    begun++
  }
  return begun
}

describe('rate', () => {
  it('allows the calls of one second at once, then as many as time passes', () => {
    const quota = new Quota({ rate: 100 }, 0)
    expect(fill(quota, 0)).toBe(100)
    expect(quota.getRetryAfter(0)).toBe(10)
    expect(fill(quota, 9)).toBe(0)
    expect(fill(quota, 10)).toBe(1)
    expect(fill(quota, 510)).toBe(50)
    expect(fill(quota, 1e9)).toBe(100)
  })

  it('returns the time until the next token', () => {
    const quota = new Quota({ rate: 3 }, 0)
    expect(fill(quota, 0)).toBe(3)
    const retryAfter = quota.getRetryAfter(100)
    expect(retryAfter).toBe(234)
    expect(quota.getRetryAfter(100 + retryAfter - 1)).toBeGreaterThan(0)
    expect(quota.getRetryAfter(100 + retryAfter)).toBe(0)
  })

  it('can be below one call per second, and above one per millisecond', () => {
    const slow = new Quota({ rate: 0.1 }, 0)
    expect(fill(slow, 0)).toBe(1)
    expect(slow.getRetryAfter(0)).toBe(10_000)
    expect(fill(slow, 10_000)).toBe(1)
    const fast = new Quota({ rate: 1500.5 }, 0)
    for (let n = 0; n < 1500; n++) fast.begin()
    expect(fast.getRetryAfter(0)).toBe(1)
  })

  it('loses no tokens when it is checked often', () => {
    const quota = new Quota({ rate: 7 }, 0)
    let begun = 0
    for (let now = 0; now <= 10_000; now++) begun += fill(quota, now)
    expect(begun).toBe(7 + 70)
  })
})

it('concurrency limits the running calls', () => {
  const quota = new Quota({ concurrency: 2 }, 0)
  expect(fill(quota, 0)).toBe(2)
  expect(quota.isBusy).toBe(true)
  quota.end()
  expect(fill(quota, 0)).toBe(1)
})

it('isIdle is true once no call runs and the bucket is full', () => {
  const quota = new Quota({ rate: 2, concurrency: 2 }, 0)
  quota.begin()
  expect(quota.isIdle(1000)).toBe(false)
  quota.end()
  expect(quota.isIdle(1000)).toBe(true)
  quota.begin()
  quota.end()
  expect(quota.isIdle(1000)).toBe(false)
  expect(quota.isIdle(1500)).toBe(true)
})
