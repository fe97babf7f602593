// All states of a life are explored: here those of a process that does not restart, the others in the long tier.
import { expect, test } from 'vitest'
import { exploreLife } from '../../../test/support/explore-life.js'

test('a life gives each link up once, blames nobody for the order of facts, ends always, and is the same as a machine of xstate', () => {
  const { states, pairs, wrong } = exploreLife({ restart: 'temporary', keepsLink: true })
  expect(wrong).toEqual([])
  expect([states, pairs].every(count => count > 1000)).toBe(true)
})
