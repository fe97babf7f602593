import { describe, expect, test } from 'vitest'
import type { Arm } from '../model/scenario.js'
import type { Launched } from '../run/run.js'
import { usualCall } from '../payloads/payloads.js'
import type { Plan } from '../run/plan.js'
import { run, type Watcher } from '../run/run.js'
import { latency, rate, type Scenario } from '../model/scenario.js'
import type { Measurement } from '../model/scenario.js'
import { conclude, judge, suspectsOf, type Judged } from './judge.js'
import { countFigures, inTurnsBySide, type Side } from './sides.js'

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

/** What each side of each arm would take, told in place of processes. */
interface Told {
  log: string[]
  ended: Side[]
}

const sideOf =
  (told: Told, times: (side: Side, arm: string) => number) =>
  async (side: Side): Promise<Launched> => ({
    open: async ({ id }, { id: opened }) => {
      const p50 = times(side, opened)
      if (Number.isNaN(p50)) throw new Error(`${side} has no ${id}/${opened}`)
      return {
        measure: async (): Promise<Measurement> => {
          told.log.push(`${opened}:${side}`)
          return { p50, p99: 2 * p50, rate: 1e6 / p50 }
        },
        close: async () => {},
      }
    },
    end: async () => void told.ended.push(side),
  })

async function measured(times: (side: Side, arm: string) => number): Promise<Told & { judged: Judged[] }> {
  const told: Told = { log: [], ended: [] }
  const turns = inTurnsBySide([scenario], sideOf(told, times))
  const outcomes = await run(turns.scenarios, plan, silent, new AbortController().signal, turns.launch)
  const rule = { tolerance: 1.05, figures: countFigures([scenario]) }
  return { ...told, judged: turns.read(outcomes).map(sides => judge(sides, rule)) }
}

const outcomes = (judged: readonly Judged[]): string[] => judged.map(({ figure, outcome }) => `${figure} ${outcome}`)

test('three sides in turns: six rounds are their six orders, and each process ends', async () => {
  const { log, ended } = await measured(() => 10)
  const rounds = Array.from({ length: 6 }, (_, at) =>
    log
      .slice(3 * at, 3 * at + 3)
      .join(' ')
      .replaceAll('fast:', ''),
  )
  expect(new Set(rounds).size).toBe(6)
  expect(rounds[0]).toBe('base head again')
  expect(log.filter(told => told.startsWith('safe'))).toHaveLength(3 * 18)
  expect(ended).toHaveLength(2 * 3 * 3)
})

describe('a head', () => {
  test('that is as fast as its base is fine, and tails are not judged', async () => {
    const { judged } = await measured((_, one) => (one === 'fast' ? 10 : 20))
    expect(outcomes(judged)).toEqual([
      'call/1/fast/p50 fine',
      'call/1/fast/rate fine',
      'call/1/safe/p50 fine',
      'call/1/safe/rate fine',
    ])
    expect(countFigures([scenario])).toBe(judged.length)
    expect(conclude(judged, [])).toBe('fine')
  })

  test('that is slower in one arm is caught there', async () => {
    const slow = (side: Side, one: string): number => (side === 'head' && one === 'safe' ? 11 : 10)
    const [first, repeat] = [await measured(slow), await measured(slow)]
    expect(suspectsOf(first.judged).map(({ figure }) => figure)).toEqual(['call/1/safe/p50', 'call/1/safe/rate'])
    expect(first.judged[2]!.slower!.factor).toBeCloseTo(1.1)
    expect(conclude(first.judged, repeat.judged)).toBe('regression')
  })

  test('that fails where the base works is red; what the base can’t do is missing', async () => {
    const broken = await measured((side, one) => (side === 'head' && one === 'safe' ? NaN : 10))
    expect(broken.judged[2]).toMatchObject({ outcome: 'failed', error: 'head has no call/safe' })
    expect(conclude(broken.judged, [])).toBe('regression')
    const newer = await measured((side, one) => (side !== 'head' && one === 'safe' ? NaN : 10))
    expect(newer.judged[2]).toMatchObject({ outcome: 'missing', error: 'base has no call/safe' })
    expect(conclude(newer.judged, [])).toBe('fine')
  })
})

test('a side that does not start leaves the others their turns', async () => {
  const told: Told = { log: [], ended: [] }
  const launch = sideOf(told, () => 10)
  const turns = inTurnsBySide([scenario], side =>
    side === 'base' ? Promise.reject(new Error('no base')) : launch(side),
  )
  const launched = await turns.launch()
  const [one] = turns.scenarios
  await expect(launched.open(one!, one!.arms[0])).rejects.toThrow('no base')
  await expect(launched.open(one!, one!.arms[1]!)).resolves.toBeDefined()
  await launched.end()
  expect(told.ended.toSorted()).toEqual(['again', 'head'])
})
