import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Plan } from './plan.js'
import { noise } from '../scenarios/noise.js'
import { warmUp } from './warm-up.js'

const plan: Plan = { mode: 'quick', processes: 1, warmUpMs: 60, rounds: 2, slotMs: 5, budgetMs: 60_000 }
const [inCase] = noise.cases
const scenario = { ...noise, cases: [inCase!] }

let now = 0
beforeEach(() => void vi.spyOn(performance, 'now').mockImplementation(() => now))
afterEach(() => vi.restoreAllMocks())

/** How many measurements it takes, each of so many milliseconds. */
async function slotsOf(ms: number, value: (slot: number) => number): Promise<number> {
  let slots = 0
  await warmUp(plan, scenario, inCase!, async () => {
    now += ms
    return { p50: value(slots++) }
  })
  return slots
}

test('ends when three in a row agree, but not before half of its time', async () => {
  const slots = await slotsOf(10, () => 1)
  expect(slots).toBeGreaterThanOrEqual(3)
  expect(slots).toBeLessThan(8)
})

test('goes on while they don’t agree, up to twice its time', async () => {
  expect(await slotsOf(10, slot => 2 ** slot)).toBeGreaterThanOrEqual(8)
})

test('is left out where a scenario wants none', async () => {
  const fail = (): Promise<never> => Promise.reject(new Error('was measured'))
  await warmUp(plan, { ...scenario, warmUpShare: 0 }, inCase!, fail)
})
