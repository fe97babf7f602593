// The replay cache is bounded, and forgets a hello only once its time is invalid.
import { expect, it } from 'vitest'
import { MAX_HELLO_AGE, ReplayCache } from './handshake.js'
import { MAX_HELLOS } from '@sallyport/protocol/internal/wire'

it('keeps a hello as long as a hello from the future is valid', () => {
  const cache = new ReplayCache()
  expect([cache.add('a', 0), cache.has('a'), cache.has('b')]).toEqual([true, true, false])
  cache.add('b', 2 * MAX_HELLO_AGE)
  expect(cache.has('a')).toBe(true)
  cache.add('c', 2 * MAX_HELLO_AGE + 1)
  expect([cache.has('a'), cache.has('b')]).toEqual([false, true])
})

it('is full until hellos are too old', () => {
  const cache = new ReplayCache()
  for (let i = 0; i < MAX_HELLOS; i++) cache.add(`${i}`, i < 10 ? 0 : 1)
  expect([cache.has('0'), cache.has(`${MAX_HELLOS - 1}`)]).toEqual([true, true])
  expect([cache.add('more', 60_000), cache.has('more')]).toEqual([false, false])
  for (let i = 0; i < 10; i++) expect(cache.add(`later ${i}`, 60_001)).toBe(true)
  expect(cache.add('more', 60_001)).toBe(false)
})
