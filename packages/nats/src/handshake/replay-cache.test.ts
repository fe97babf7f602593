// The memory of hellos is bounded, and forgets a hello only when its time would do no more.
import { expect, it } from 'vitest'
import { MAX_HELLO_AGE, MAX_HELLOS, ReplayCache } from './replay-cache.js'

it('remembers a hello while one from the future may still be played again', () => {
  const seen = new ReplayCache()
  expect([seen.add('a', 0), seen.has('a'), seen.has('b')]).toEqual([true, true, false])
  seen.add('b', 2 * MAX_HELLO_AGE)
  expect(seen.has('a')).toBe(true)
  seen.add('c', 2 * MAX_HELLO_AGE + 1)
  expect([seen.has('a'), seen.has('b')]).toEqual([false, true])
})

it('takes no more than it has room for, until some are too old', () => {
  const seen = new ReplayCache()
  for (let i = 0; i < MAX_HELLOS; i++) seen.add(`${i}`, i < 10 ? 0 : 1)
  expect([seen.has('0'), seen.has(`${MAX_HELLOS - 1}`)]).toEqual([true, true])
  expect([seen.add('more', 60_000), seen.has('more')]).toEqual([false, false])
  for (let i = 0; i < 10; i++) expect(seen.add(`later ${i}`, 60_001)).toBe(true)
  expect(seen.add('more', 60_001)).toBe(false)
})
