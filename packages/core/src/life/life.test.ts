// All states of a life are explored: here those of a process that does not restart, the others in the long tier.
import { expect, test, vi } from 'vitest'
import { exploreLife } from '../../test/support/explore-life.js'
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
    effects: [
      {
        offer() {
          throw new RangeError('Array buffer allocation failed')
        },
      },
    ],
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
    effects: [{ backOff: () => seen.push(life.value.code) }],
    now: () => 0,
    random: () => 0,
    isDraining: () => false,
  })
  life.send({ type: 'READY' })
  life.send({ type: 'OBITUARY', obituary: { ranCode: true, by: 'itself', code: 1 } })
  expect(seen).toEqual(['backingOff'])
})

test('a fact that leaves the state as it is does not end the deadlines of that state', () => {
  const rest = vi.fn<() => void>()
  const life = new SteppedLife({
    name: 'it',
    supervision: resolveSupervision('permanent', {}),
    effects: [{ rest }],
    now: () => 0,
    random: () => 0,
    isDraining: () => false,
  })
  life.send({ type: 'READY' })
  life.send({ type: 'STOP', timeout: 1 })
  rest.mockClear()
  for (const type of ['SENTENCE', 'RELOAD', 'STOP'] as const) life.send({ type, error: new Error('late'), timeout: 1 })
  expect([life.value.code, rest.mock.calls.length]).toEqual(['ending', 0])
})

test('code that is never restarted fails with its own error', () => {
  const life = new SteppedLife({
    name: 'it',
    supervision: resolveSupervision('permanent', { intensity: 0 }),
    effects: [],
    now: () => 0,
    random: () => 0,
    isDraining: () => false,
  })
  life.send({ type: 'READY' })
  const error = new Error('its own words')
  life.send({ type: 'OBITUARY', obituary: { ranCode: true, by: 'itself', code: 1, error } })
  expect([life.value.code, life.context.error]).toEqual(['failed', error])
})
