// The bucket and the count, in virtual time.
import { describe, expect, it } from 'vitest'
import { Quota } from './quotas.js'

/** Begins as many calls as there is room for. */
function fill(quota: Quota, now: number): number {
  let begun = 0
  while (!quota.isBusy && quota.wait(now) === 0 && begun < 1000) {
    quota.begin()
    begun++
  }
  return begun
}

describe('a rate', () => {
  it('allows a second’s calls at once, then as many as time gives', () => {
    const quota = new Quota({ rate: 100 }, 0)
    expect(fill(quota, 0)).toBe(100)
    expect(quota.wait(0)).toBe(10)
    expect(fill(quota, 9)).toBe(0)
    expect(fill(quota, 10)).toBe(1)
    expect(fill(quota, 510)).toBe(50)
    expect(fill(quota, 1e9)).toBe(100)
  })

  it('says when there is room', () => {
    const quota = new Quota({ rate: 3 }, 0)
    expect(fill(quota, 0)).toBe(3)
    const wait = quota.wait(100)
    expect(wait).toBe(234)
    expect(quota.wait(100 + wait - 1)).toBeGreaterThan(0)
    expect(quota.wait(100 + wait)).toBe(0)
  })

  it('may be less than one, and more than a millisecond has', () => {
    const slow = new Quota({ rate: 0.1 }, 0)
    expect(fill(slow, 0)).toBe(1)
    expect(slow.wait(0)).toBe(10_000)
    expect(fill(slow, 10_000)).toBe(1)
    const fast = new Quota({ rate: 1500.5 }, 0)
    for (let n = 0; n < 1500; n++) fast.begin()
    expect(fast.wait(0)).toBe(1)
  })

  it('asked often, loses nothing', () => {
    const quota = new Quota({ rate: 7 }, 0)
    let begun = 0
    for (let now = 0; now <= 10_000; now++) begun += fill(quota, now)
    expect(begun).toBe(7 + 70)
  })
})

it('a concurrency counts those that run', () => {
  const quota = new Quota({ concurrency: 2 }, 0)
  expect(fill(quota, 0)).toBe(2)
  expect(quota.isBusy).toBe(true)
  quota.end()
  expect(fill(quota, 0)).toBe(1)
})

it('is as good as new once nothing runs and its bucket is full', () => {
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
