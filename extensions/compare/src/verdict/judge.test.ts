import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getDetectableFactor } from '#measure/statistics'
import {
  conclude,
  judge,
  getMinRuns,
  getRegressions,
  getSuspects,
  isNarrow,
  type Judged,
  MEMORY,
  type Rule,
  type Sides,
} from './judge.js'

const rule: Rule = { tolerance: 1.05, figures: 20 }

/** Reproducible noise: factors around 1, as a machine makes them. */
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

function measured(
  { factor = 1, again = 1, seed = 1, state = 0.02, jitter = 0.05 }: Given,
  better: Sides['better'] = 'lower',
): Sides {
  const next = noise(seed * 7919)
  const side = (times: number): number[][] =>
    Array.from({ length: 8 }, () => {
      const value = times * next(state)
      return Array.from({ length: 6 }, () => value * next(jitter))
    })
  const value = (times: number): number => (better === 'lower' ? 50 * times : 50 / times)
  return {
    ...{ figure: 'parse', better, unit: 'ms' },
    base: side(value(1)),
    head: side(value(factor)),
    again: side(value(again)),
  }
}

/** Runs of a machine that makes half of them up to 35 % slower, with one value each. Some of the head's have a pause. */
function busy(runs: number, factor: number, pause = 1, better: Sides['better'] = 'lower', seed = 1): Sides {
  let state = seed * 7919
  const random = (): number => (state = (state * 16807) % 2147483647) / 2147483647
  const run = (times: number, of: number): number[] => {
    const slowed = random() < 0.5 ? 1 : 1 + 0.35 * random()
    const time = 5 * times * (1 + 0.02 * random()) * slowed * (random() < 0.3 ? of : 1)
    return [better === 'lower' ? time : 1000 / time]
  }
  const side = (times: number, of = 1): number[][] => Array.from({ length: runs }, () => run(times, of))
  return { ...{ figure: 'parse', better, unit: 'ms' }, base: side(1), head: side(factor, pause), again: side(1) }
}

const outcome = (sides: Given, better?: Sides['better']): string => judge(measured(sides, better), rule).outcome

test('figures are narrow by their intervals, whatever these say', () => {
  const isNarrowWith = (given: Given, figure = 'parse'): boolean => isNarrow([{ ...measured(given), figure }], rule)
  const quiet = { state: 0.001, jitter: 0.001 }
  for (const factor of [0.5, 1, 1.05, 2]) {
    expect(isNarrowWith({ ...quiet, factor })).toBe(true)
    expect(isNarrowWith({ state: 0.1, factor })).toBe(false)
  }
  expect(isNarrowWith({ state: 0.1 }, MEMORY)).toBe(true)
})

describe('one figure', () => {
  test('is slower beyond the tolerance, whether it is a time or a rate', () => {
    expect(outcome({ factor: 1.15 })).toBe('slower')
    expect(outcome({ factor: 1.15 }, 'higher')).toBe('slower')
    expect(outcome({ factor: 1 / 1.15 })).toBe('faster')
    expect(outcome({ factor: 1 / 1.15 }, 'higher')).toBe('faster')
  })

  test('is fine within the tolerance, and when its bound is not wholly beyond it', () => {
    expect(outcome({})).toBe('fine')
    expect(outcome({ factor: 1.04 })).toBe('fine')
    expect(outcome({ factor: 1.055, state: 0.01, jitter: 0.02 })).toBe('fine')
  })

  test('is fine within a larger tolerance', () => {
    const sides = measured({ factor: 1.15 })
    expect(judge(sides, { ...rule, tolerance: 1.25 }).outcome).toBe('fine')
  })

  test('is not called fine when a slow-down could not have been seen', () => {
    expect(outcome({ state: 0.5, seed: 3 })).toBe('blind')
    expect(outcome({ factor: 3, state: 0.5, seed: 3 })).toBe('slower')
  })

  test('is unsteady when the base differs from itself, in either direction', () => {
    expect(outcome({ factor: 1.3, again: 1.15 })).toBe('unsteady')
    expect(outcome({ factor: 1.3, again: 1 / 1.15 })).toBe('unsteady')
  })

  test('is missing when one side lacks it', () => {
    expect(judge({ ...measured({}), missing: 'unknown' }, rule)).toMatchObject({ outcome: 'missing', error: 'unknown' })
    expect(judge({ ...measured({}), again: [] }, rule).outcome).toBe('missing')
    expect(judge({ ...measured({}), head: [[]] }, rule)).toMatchObject({ outcome: 'missing', slower: null })
  })

  test('is unclear when it is 0, of which there is no ratio', () => {
    const zero = [[0], [0]]
    for (const sides of [
      { base: zero, head: zero, again: zero },
      { base: zero, head: [[5], [5]], again: zero },
    ])
      expect(judge({ ...measured({}), ...sides }, rule)).toMatchObject({
        ...{ outcome: 'blind', slower: null, error: expect.stringContaining('above 0') },
      })
  })

  test('is not judged by a single round, however far apart the sides are', () => {
    const sides = { ...measured({}), base: [[50]], head: [[500]], again: [[51]] }
    expect(judge(sides, rule)).toMatchObject({ outcome: 'blind', slower: null })
  })

  test('needs as many processes for bounds of 99 % as agree by chance once in a hundred times', () => {
    expect([1, 2, 20].map(figures => getMinRuns({ ...rule, figures }))).toEqual([7, 8, 11])
  })

  test('leaves out rounds that the base measured only once', () => {
    const sides = measured({ factor: 1.15 })
    const short = sides.again.map(rounds => rounds.slice(0, 4))
    expect(judge({ ...sides, again: short }, rule).outcome).toBe('slower')
  })

  test('has wider bounds when more figures are judged', () => {
    const sides = measured({ factor: 1.15 })
    const [single, many] = [1, 100].map(figures => judge(sides, { ...rule, figures }).slower!.bounds)
    expect(many![0]).toBeLessThan(single![0])
  })

  test('has the smallest slow-down that would count', () => {
    const quiet = getDetectableFactor(judge(measured({}), rule).slower!, rule.tolerance)
    const noisy = getDetectableFactor(judge(measured({ state: 0.2 }), rule).slower!, rule.tolerance)
    expect(quiet).toBeGreaterThan(rule.tolerance)
    expect(noisy).toBeGreaterThan(quiet)
    expect(outcome({ factor: quiet * 1.02 })).toBe('slower')
  })
})

describe('the runs of a busy machine', () => {
  const close: Rule = { tolerance: 1.01, figures: 2 }

  test('show a slow-down of each run in their fastest quarter, from 30 runs on, of a time or a rate', () =>
    rows([
      [30, 'lower', 'slower', 'fastest quarter'],
      [30, 'higher', 'slower', 'fastest quarter'],
      [150, 'lower', 'slower', 'fastest quarter'],
      [29, 'lower', 'blind', 'all runs'],
    ] as const)((runs, better, outcome, part) => {
      expect(judge(busy(runs, 1.04, 1, better), close)).toMatchObject({ outcome, part })
    }))

  test('show a pause that only some have in their slowest half', () => {
    const judged = judge(busy(150, 1, 1.5), { ...close, tolerance: 1.05 })
    expect(judged).toMatchObject({ outcome: 'slower', part: 'slowest half' })
    expect(judged.others!.map(({ outcome }) => outcome)).not.toContain('slower')
  })

  test('are measured again because of a part', () => {
    const judged = judge(busy(150, 1, 1.5), close)
    expect(judged.others!.find(({ part }) => part === 'fastest quarter')!.slower!.factor).toBeLessThan(1.01)
    const [entry, ...others] = [judged, ...judged.others!].toReversed()
    expect(getSuspects([{ ...judged, ...entry!, others }], close)).toEqual(['parse'])
  })

  test('have no part where a run is 0, and are judged by the others', () => {
    const sides = busy(40, 1.5)
    const judged = judge({ ...sides, head: [[0], ...sides.head.slice(1)] }, close)
    expect(judged).toMatchObject({ outcome: 'slower', part: 'all runs' })
  })

  test('show no slow-down twice in 20 comparisons of equal sides', () => {
    const isSlower = (seed: number): boolean => judge(busy(30, 1, 1, 'lower', seed), close).outcome === 'slower'
    const seeds = Array.from({ length: 20 }, (_, at) => at + 1)
    expect(seeds.filter(seed => isSlower(seed) && isSlower(seed + 100))).toEqual([])
  })
})

describe('a comparison', () => {
  const single = (figure: string, outcome: Judged['outcome']): Judged => ({
    figure,
    slower: null,
    drift: null,
    outcome,
  })

  test('is a regression when a figure is slower in its second measurement', () => {
    const first = [single('a', 'slower'), single('b', 'slower'), single('c', 'fine')]
    expect(conclude(first, [single('a', 'fine'), single('b', 'slower')])).toBe('regression')
    expect(getRegressions([single('a', 'fine'), single('b', 'slower')]).map(({ figure }) => figure)).toEqual(['b'])
    expect(conclude(first, [single('a', 'fine'), single('b', 'fine')])).toBe('fine')
  })

  test('measures again each figure that is above the tolerance, whatever its interval', () => {
    const all = [judge(measured({ factor: 1.1 }), rule), judge(measured({ factor: 1.1, state: 0.2 }), rule)]
    expect(getSuspects([...all, judge(measured({ factor: 1.02 }), rule)], rule)).toHaveLength(2)
  })

  test('is too noisy when most figures could not be judged, in the first measurement or in the second', () => {
    expect(conclude([single('a', 'fine'), single('b', 'unsteady')], [])).toBe('too noisy')
    expect(conclude([single('a', 'slower')], [single('a', 'unsteady')])).toBe('too noisy')
    expect(conclude([single('a', 'slower'), single('b', 'unsteady')], [single('a', 'slower')])).toBe('regression')
  })

  test('is a regression when only the head fails, fine when faster, too noisy when nothing was seen', () => {
    const failed = judge({ ...measured({}), failed: 'broken' }, rule)
    expect(failed).toMatchObject({ outcome: 'failed', error: 'broken' })
    expect(conclude([failed, single('b', 'unsteady')], [])).toBe('regression')
    expect(conclude([single('a', 'faster'), single('b', 'missing')], [])).toBe('fine')
    expect(conclude([single('a', 'missing')], [])).toBe('too noisy')
    expect(conclude([single('a', 'fine'), single('b', 'blind')], [])).toBe('too noisy')
    expect(conclude([single('a', 'fine'), single('b', 'fine'), single('c', 'blind')], [])).toBe('fine')
  })

  test('is a regression when the peak memory grows, and never too noisy because of it', () => {
    expect(conclude([single('a', 'fine'), single(MEMORY, 'unsteady')], [])).toBe('fine')
    expect(conclude([single('a', 'unsteady'), single(MEMORY, 'fine')], [])).toBe('too noisy')
    expect(conclude([single('a', 'fine'), single(MEMORY, 'slower')], [single(MEMORY, 'slower')])).toBe('regression')
  })

  test('reports no slow-down in 100 comparisons of equal sides', () => {
    const rules = { tolerance: 1.05, figures: 100 }
    const outcomes = Array.from(
      { length: 100 },
      (_, at) => judge(measured({ seed: at + 1, state: 0.05 }), rules).outcome,
    )
    expect(outcomes.filter(outcome => outcome === 'slower')).toEqual([])
  })
})

test('a figure can have a tolerance of its own', () => {
  const sides = measured({ factor: 1.15 })
  const own: Rule = { ...rule, tolerances: { parse: 1.25 } }
  expect(judge(sides, own).outcome).toBe('fine')
  expect(getSuspects([judge(sides, own)], own)).toEqual([])
  expect(judge({ ...sides, figure: 'other' }, own).outcome).toBe('slower')
})
