// All states of a life are explored: here those of a process that does not restart, the others in the long tier.
import { expect, test } from 'vitest'
import { exploreLife } from '../../../test/support/explore-life.js'
import { resolveSupervision } from './policy.js'
import { SteppedLife } from './table.js'

test('a life gives each link up once, blames nobody for the order of facts, and ends always', () => {
  const { states, pairs, wrong } = exploreLife({ restart: 'temporary', keepsLink: true })
  expect(wrong).toEqual([])
  expect([states, pairs].every(count => count > 1000)).toBe(true)
})

test('a life whose effect throws can still be ended', () => {
  const life = new SteppedLife({
    name: 'it',
    supervision: { restart: 'temporary', intensity: 0, period: 0, delay: { min: 0, max: 0 }, heartbeat: false },
    effects: {
      offer() {
        throw new RangeError('Array buffer allocation failed')
      },
    },
    now: () => 0,
    random: () => 0,
    isDraining: () => false,
  })
  expect(() => life.send({ type: 'CORE.UP' })).toThrow('Array buffer allocation failed')
  life.send({ type: 'FAIL', error: new Error('no memory') })
  expect(life.value.code).toBe('failed')
})

test('what hears of an end reads the state that follows it', () => {
  const seen: string[] = []
  const life: SteppedLife = new SteppedLife({
    name: 'it',
    supervision: resolveSupervision('permanent', {}),
    effects: { backOff: () => seen.push(life.value.code) },
    now: () => 0,
    random: () => 0,
    isDraining: () => false,
  })
  life.send({ type: 'READY' })
  life.send({ type: 'OBITUARY', obituary: { ranCode: true, by: 'itself', code: 1 } })
  expect(seen).toEqual(['backingOff'])
})
