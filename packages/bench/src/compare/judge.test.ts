import { describe, expect, test } from 'vitest'
import { latency, rate } from '../model/scenario.js'
import {
  conclude,
  judge,
  leastProcesses,
  regressionsOf,
  seenFrom,
  type Judged,
  type Rule,
  type Sides,
} from './judge.js'

const time = latency('p50', 'p50')
const rule: Rule = { tolerance: 1.05, figures: 20 }

/** The same each time: factors around 1, as a machine makes them. */
function noise(seed: number): (size: number) => number {
  const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647
  return size => Math.exp(size * (random() + random() + random() - 1.5))
}

interface Given {
  factor?: number
  again?: number
  seed?: number
  /** How much processes differ, and rounds within them. */
  state?: number
  jitter?: number
}

function measured({ factor = 1, again = 1, seed = 1, state = 0.02, jitter = 0.05 }: Given, kind = time): Sides {
  const next = noise(seed * 7919)
  const side = (times: number): number[][] =>
    Array.from({ length: 8 }, () => {
      const own = times * next(state)
      return Array.from({ length: 6 }, () => own * next(jitter))
    })
  const value = (times: number): number => (kind.better === 'lower' ? 50 * times : 50 / times)
  return {
    figure: `s/c/a/${kind.id}`,
    kind,
    base: side(value(1)),
    head: side(value(factor)),
    again: side(value(again)),
  }
}

const outcome = (given: Given, kind = time): string => judge(measured(given, kind), rule).outcome

describe('one figure', () => {
  test('slower beyond the tolerance, whichever way it counts', () => {
    expect(outcome({ factor: 1.15 })).toBe('slower')
    expect(outcome({ factor: 1.15 }, rate('rate', 'calls'))).toBe('slower')
    expect(outcome({ factor: 1 / 1.15 })).toBe('faster')
    expect(outcome({ factor: 1 / 1.15 }, rate('rate', 'calls'))).toBe('faster')
  })

  test('within the tolerance, or not beyond it with all of its bound', () => {
    expect(outcome({})).toBe('fine')
    expect(outcome({ factor: 1.04 })).toBe('fine')
    expect(outcome({ factor: 1.08, state: 0.1 })).toBe('fine')
  })

  test('a larger tolerance lets more pass', () => {
    const sides = measured({ factor: 1.15 })
    expect(judge(sides, { ...rule, tolerance: 1.25 }).outcome).toBe('fine')
  })

  test('what could not have been seen is not called fine', () => {
    expect(outcome({ state: 0.5, seed: 3 })).toBe('blind')
    expect(outcome({ factor: 3, state: 0.5, seed: 3 })).toBe('slower')
  })

  test('nothing is said where the base differs from itself, in either direction', () => {
    expect(outcome({ factor: 1.3, again: 1.15 })).toBe('unsteady')
    expect(outcome({ factor: 1.3, again: 1 / 1.15 })).toBe('unsteady')
  })

  test('a figure that one side lacks is missing', () => {
    expect(judge({ ...measured({}), missing: 'unknown' }, rule)).toMatchObject({ outcome: 'missing', error: 'unknown' })
    expect(judge({ ...measured({}), again: [] }, rule).outcome).toBe('missing')
    expect(judge({ ...measured({}), head: [[]] }, rule)).toMatchObject({ outcome: 'missing', slower: null })
  })

  test('one round of one process says nothing, however far apart they are', () => {
    const sides = { ...measured({}), base: [[50]], head: [[500]], again: [[51]] }
    expect(judge(sides, rule)).toMatchObject({ outcome: 'blind', slower: null })
  })

  test('for bounds of 99 % there have to be as many processes as agree by chance once in a hundred times', () => {
    expect([1, 2, 20].map(figures => leastProcesses({ ...rule, figures }))).toEqual([7, 8, 11])
  })

  test('rounds that the base measured only once are left out', () => {
    const sides = measured({ factor: 1.15 })
    const short = sides.again.map(rounds => rounds.slice(0, 4))
    expect(judge({ ...sides, again: short }, rule).outcome).toBe('slower')
  })

  test('more figures ask for wider bounds', () => {
    const sides = measured({ factor: 1.15 })
    const [one, many] = [1, 100].map(figures => judge(sides, { ...rule, figures }).slower!.bounds)
    expect(many![0]).toBeLessThan(one![0])
  })

  test('says from where on it would have seen a slow-down: what is measured beyond that is red', () => {
    const quiet = seenFrom(judge(measured({}), rule).slower!, rule)
    const noisy = seenFrom(judge(measured({ state: 0.2 }), rule).slower!, rule)
    expect(quiet).toBeGreaterThan(rule.tolerance)
    expect(noisy).toBeGreaterThan(quiet)
    expect(outcome({ factor: quiet * 1.02 })).toBe('slower')
  })
})

describe('the whole', () => {
  const one = (figure: string, outcome: Judged['outcome']): Judged => ({
    figure,
    kind: time,
    slower: null,
    drift: null,
    outcome,
  })

  test('a regression has to be seen twice, in the same figure', () => {
    const first = [one('a', 'slower'), one('b', 'slower'), one('c', 'fine')]
    expect(conclude(first, [one('a', 'fine'), one('b', 'slower')])).toBe('regression')
    expect(regressionsOf(first, [one('a', 'fine'), one('b', 'slower')]).map(({ figure }) => figure)).toEqual(['b'])
    expect(conclude(first, [one('a', 'fine'), one('b', 'fine')])).toBe('fine')
    expect(conclude(first, [one('c', 'slower')])).toBe('fine')
  })

  test('where the base strays from itself, in the first run or in the repeat, nothing is judged', () => {
    expect(conclude([one('a', 'slower'), one('b', 'unsteady')], [one('a', 'slower')])).toBe('too noisy')
    expect(conclude([one('a', 'slower')], [one('a', 'unsteady')])).toBe('too noisy')
  })

  test('a head that fails where the base works is red; faster is fine; nothing at all is no green', () => {
    const failed = judge({ ...measured({}), failed: 'broken' }, rule)
    expect(failed).toMatchObject({ outcome: 'failed', error: 'broken' })
    expect(conclude([failed, one('b', 'unsteady')], [])).toBe('regression')
    expect(conclude([one('a', 'faster'), one('b', 'missing')], [])).toBe('fine')
    expect(conclude([one('a', 'missing')], [])).toBe('too noisy')
    expect(conclude([one('a', 'fine'), one('b', 'blind')], [])).toBe('too noisy')
    expect(conclude([one('a', 'fine'), one('b', 'fine'), one('c', 'blind')], [])).toBe('fine')
  })

  test('100 comparisons of something with itself: none is called slower', () => {
    const rules = { tolerance: 1.05, figures: 100 }
    const outcomes = Array.from(
      { length: 100 },
      (_, at) => judge(measured({ seed: at + 1, state: 0.05 }), rules).outcome,
    )
    expect(outcomes.filter(outcome => outcome === 'slower')).toEqual([])
  })
})
