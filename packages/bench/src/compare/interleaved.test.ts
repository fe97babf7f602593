import { describe, expect, test } from 'vitest'
import { type Arm, latency, type Measurement, rate, type Scenario } from '../model/scenario.js'
import { type Launched, run, type Watcher } from '../run/run.js'
import { usualCall } from '../payloads/payloads.js'
import type { Plan } from '../run/plan.js'
import { splitSides, type Side } from './interleaved.js'
import { conclude, getSuspects, judge, type Judged } from './judge.js'

const plan: Plan = { mode: 'quick', processes: 3, warmUpMs: 0, rounds: 6, slotMs: 1, budgetMs: 60_000 }
const silent: Watcher = { scenario: () => {}, slot: () => {}, done: () => {} }

const never = (): never => {
  throw new Error('a side opens the arm in a process of its own')
}
const arm = (id: string): Arm => ({ id, title: id, open: never })

const scenario: Scenario = {
  id: 'call',
  title: 'Call',
  about: '',
  rows: 'cases',
  arms: [arm('fast'), arm('safe')],
  cases: [
    {
      id: '1',
      title: '1',
      task: { loop: 'calls' },
      payload: usualCall,
      figures: [latency('p50', 'p50'), latency('p99', 'p99'), rate('rate', 'calls')],
    },
  ],
}

/** Stands in for processes: what was measured in which order, and what ended. */
interface Recorded {
  log: string[]
  ended: Side[]
}

const createSide =
  (recorded: Recorded, times: (side: Side, arm: string) => number) =>
  async (side: Side): Promise<Launched> => ({
    open: async ({ id }, { id: opened }) => {
      const p50 = times(side, opened)
      if (Number.isNaN(p50)) throw new Error(`${side} has no ${id}/${opened}`)
      return {
        measure: async (): Promise<Measurement> => {
          recorded.log.push(`${opened}:${side}`)
          return { p50, p99: 2 * p50, rate: 1e6 / p50 }
        },
        close: async () => {},
      }
    },
    end: async () => void recorded.ended.push(side),
  })

async function measured(times: (side: Side, arm: string) => number): Promise<Recorded & { judged: Judged[] }> {
  const recorded: Recorded = { log: [], ended: [] }
  const sides = splitSides([scenario], createSide(recorded, times))
  const outcomes = await run(sides.scenarios, plan, silent, new AbortController().signal, sides.launch)
  const rule = { tolerance: 1.05, figures: 4 }
  return { ...recorded, judged: sides.read(outcomes).map(side => judge(side, rule)) }
}

const outcomes = (judged: readonly Judged[]): string[] => judged.map(({ figure, outcome }) => `${figure} ${outcome}`)

test('measures three sides in their six orders, and ends each process', async () => {
  const { log, ended } = await measured(() => 10)
  const rounds = Array.from({ length: 6 }, (_, at) =>
    log
      .slice(3 * at, 3 * at + 3)
      .join(' ')
      .replaceAll('fast:', ''),
  )
  expect(new Set(rounds).size).toBe(6)
  expect(rounds[0]).toBe('base head again')
  expect(log.filter(recorded => recorded.startsWith('safe'))).toHaveLength(3 * 18)
  expect(ended).toHaveLength(2 * 3 * 3)
})

describe('a head', () => {
  test('is fine when it is as fast as its base, and its tails are not judged', async () => {
    const { judged } = await measured((_, entry) => (entry === 'fast' ? 10 : 20))
    expect(outcomes(judged)).toEqual([
      'call/1/fast/p50 fine',
      'call/1/fast/rate fine',
      'call/1/safe/p50 fine',
      'call/1/safe/rate fine',
    ])
    expect(conclude(judged, [])).toBe('fine')
  })

  test('is slower in the arm that is slower', async () => {
    const slow = (side: Side, entry: string): number => (side === 'head' && entry === 'safe' ? 11 : 10)
    const [first, repeat] = [await measured(slow), await measured(slow)]
    expect(getSuspects(first.judged, { tolerance: 1.05, figures: 4 })).toEqual(['call/1/safe/p50', 'call/1/safe/rate'])
    expect(first.judged[2]!.slower!.factor).toBeCloseTo(1.1)
    expect(conclude(first.judged, repeat.judged)).toBe('regression')
  })

  test('is a regression when it fails alone, and fine when the base fails', async () => {
    const broken = await measured((side, entry) => (side === 'head' && entry === 'safe' ? NaN : 10))
    expect(broken.judged[2]).toMatchObject({ outcome: 'failed', error: 'head has no call/safe' })
    expect(conclude(broken.judged, [])).toBe('regression')
    const newer = await measured((side, entry) => (side !== 'head' && entry === 'safe' ? NaN : 10))
    expect(newer.judged[2]).toMatchObject({ outcome: 'missing', error: 'base has no call/safe' })
    expect(conclude(newer.judged, [])).toBe('fine')
  })
})

test('measures the other sides when one does not start', async () => {
  const recorded: Recorded = { log: [], ended: [] }
  const launch = createSide(recorded, () => 10)
  const sides = splitSides([scenario], side => (side === 'base' ? Promise.reject(new Error('no base')) : launch(side)))
  const launched = await sides.launch()
  const [entry] = sides.scenarios
  await expect(launched.open(entry!, entry!.arms[0])).rejects.toThrow('no base')
  await expect(launched.open(entry!, entry!.arms[1]!)).resolves.toBeDefined()
  await launched.end()
  expect(recorded.ended.toSorted()).toEqual(['again', 'head'])
})
