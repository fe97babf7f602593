// Delays between attempts to open a session.
import { expect, test } from 'vitest'
import { DialBackoff } from './dial-backoff.js'

test('the first attempt is immediate, and later delays double up to a maximum', () => {
  const backoff = new DialBackoff(
    () => 0,
    () => 0,
  )
  expect(Array.from({ length: 9 }, () => backoff.next())).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
  for (let i = 0; i < 2000; i++) expect(backoff.next()).toBe(5000)
})

test('jitter takes up to a half off a delay', () => {
  const backoff = new DialBackoff(
    () => 0,
    () => 0.999,
  )
  backoff.next()
  expect([backoff.next(), backoff.next()].map(Math.round)).toEqual([50, 100])
})

test('a session that lasted resets the delays, and a short one does not', () => {
  let now = 0
  const backoff = new DialBackoff(
    () => now,
    () => 0,
  )
  for (let i = 0; i < 4; i++) backoff.next()
  backoff.opened()
  now += 10_000
  expect(backoff.next()).toBe(800)
  backoff.opened()
  now += 30_000
  expect(backoff.next()).toBe(100)
  expect(backoff.next()).toBe(200)
})
