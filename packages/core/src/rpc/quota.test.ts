// The token bucket and the number of running calls, in virtual time.
import { describe, expect, it } from 'vitest'
import { Quota } from './quota.js'

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
