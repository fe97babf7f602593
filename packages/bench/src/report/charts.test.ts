import { describe, expect, test } from 'vitest'
import { noisySample, sampleReport, withFailure } from '../../test/sample-report.js'
import { drawChart, forest, goalsChart, linearScale, logScale, stepChart, waterfall } from './charts.js'
import type { Figure, ScenarioReport } from './report.js'

const getIsolation = (report = noisySample()): ScenarioReport => report.scenarios.find(({ id }) => id === 'isolation')!

const ratio = (value: number, low: number, high: number, better: Figure['better'] = 'lower'): Figure => ({
  ...{ id: 'p50', title: 'p50', unit: 'µs', better, median: 10, low: 9, high: 11 },
  ...{ ratio: value, interval: [low, high], smallestEffect: 1.1, processes: [[10]] },
})
const draw = (...figures: Figure[]) =>
  forest([{ rows: figures.map(figure => ({ name: 'arm', figure })) }], 'p50', 'raw', true)

describe('a logarithmic scale', () => {
  test('makes equal factors equal lengths, and keeps every value within', () => {
    const { at } = logScale([0.25, 1, 4])
    expect(at(1)).toBe(50)
    expect(at(4) - at(1)).toBeCloseTo(at(1) - at(0.25))
    expect(at(0.25)).toBeGreaterThan(0)
    expect([at(0.001), at(1000)]).toEqual([0, 100])
  })

  test('does not fill its track with a tiny difference', () => {
    const { at } = logScale([1, 1.001])
    expect(at(1.001) - at(1)).toBeLessThan(1)
  })

  test.each([
    [[0.9, 1.1]],
    [[0.061, 2.7]],
    [[0.001, 1e6]],
    [[1.0, 1.02]],
    [[40, 55]],
    [[3, 400]],
    [[0.3, 3.3]],
    [[1e-9, 1e9]],
  ])('has ticks on %j that are round, few and roomy', values => {
    const { ticks, at } = logScale(values)
    expect(ticks.length).toBeGreaterThanOrEqual(2)
    for (const [index, tick] of ticks.entries()) {
      expect(at(tick)).toBeGreaterThan(0)
      expect(at(tick)).toBeLessThan(100)
      expect(tick).toBe(Number(tick.toPrecision(3)))
      if (index > 0) expect(at(tick) - at(ticks[index - 1]!)).toBeGreaterThanOrEqual(11.9)
    }
  })
})

test('a linear scale begins at zero, or below it', () => {
  expect(linearScale([10, 40]).at(0)).toBe(0)
  const { at, ticks } = linearScale([-10, 40])
  expect(at(0)).toBeGreaterThan(0)
  expect(ticks).toContain(0)
})

describe('a forest plot', () => {
  const getTones = (...figures: Figure[]): string[] => draw(...figures).groups[0]!.rows.map(({ tone }) => tone)

  test('calls an arm better or worse by the direction of its figure, unless its interval lies across 1', () => {
    const times = [ratio(1.2, 0.9, 1.4), ratio(1.2, 1.1, 1.4), ratio(0.8, 0.7, 0.9)]
    expect(getTones(...times)).toEqual(['same', 'worse', 'better'])
    expect(getTones(ratio(1.2, 1.1, 1.4, 'higher'), ratio(0.8, 0.7, 0.9, 'higher'))).toEqual(['better', 'worse'])
  })

  test('judges nothing when the noise check failed', () => {
    const chart = forest([{ rows: [{ name: 'arm', figure: ratio(3, 2.9, 3.1) }] }], 'p50', 'raw', false)
    expect(chart.groups[0]!.rows[0]!.tone).toBe('same')
  })

  test('has an interval around each point, and 1 among its ticks', () => {
    const chart = draw(ratio(1.2, 1.1, 1.4))
    expect(chart.groups[0]!.rows[0]!.marks).toEqual([
      { kind: 'band', from: 1 / 1.1, to: 1.1 },
      { kind: 'range', from: 1.1, to: 1.4 },
      { kind: 'point', from: 1.2, shape: 'diamond' },
    ])
    expect(drawChart(chart)!.text).toMatch(/<span class="tick strong" [^>]*>1×</)
  })

  test('cuts an interval that would make all others too short, and shows that it did', () => {
    const { text } = drawChart(draw(ratio(1.2, 1.1, 1.4), ratio(1.1, 0.0001, 9000)))!
    const [short, long] = [...text.matchAll(/<i class="range ([^"]*)"\s+style="left:[\d.]+%;width:([\d.]+)%/g)]
    expect(long![1]).toBe(' cut-left cut-right')
    expect(short![1]).toBe('')
    expect(Number(short![2])).toBeGreaterThan(5)
  })

  test('is left out when no figure has a ratio', () => {
    expect(drawChart(draw({ ...ratio(1, 1, 1), ratio: null, interval: null }))).toBeUndefined()
  })
})

describe('a chart of steps', () => {
  const getPercentiles = (scenario: ScenarioReport) => {
    const [inCase] = scenario.cases
    const kinds = inCase!.results[0]!.figures.filter(({ unit }) => unit === 'µs')
    const steps = kinds.map(({ id, title }) => ({ title, inCase: inCase!, id }))
    return stepChart(scenario, inCase!.title, steps, kinds[0]!)
  }

  test('has a point and a range for each percentile of each arm', () => {
    const { rows } = getPercentiles(getIsolation()).groups[0]!
    expect(rows.map(({ name }) => name)).toContain('raw MessagePort (reference)')
    for (const { marks } of rows) {
      expect(marks.map(({ kind }) => kind)).toEqual(['line', 'range', 'range', 'point', 'point'])
    }
  })

  test('has no row for an arm that failed', () => {
    const scenario = getIsolation(sampleReport(withFailure('isolation', 'ring-json', 'gone')))
    expect(getPercentiles(scenario).groups[0]!.rows).toHaveLength(scenario.arms.length - 1)
  })

  test('is left out when no arm has two steps', () => {
    const scenario = getIsolation()
    const [inCase] = scenario.cases
    const [kind] = inCase!.results[0]!.figures
    const steps = [{ title: 'p50', inCase: inCase!, id: kind!.id }]
    expect(drawChart(stepChart(scenario, 'one', steps, kind!))).toBeUndefined()
  })
})

test('the steps of the isolation cost end where the whole ends', () => {
  const { isolationCost } = sampleReport()
  const getBars = (of: 'alone' | 'pipelined') =>
    waterfall(isolationCost, of, '').groups[0]!.rows.map(row => row.marks[0])
  const bars = getBars('alone')
  expect(bars[0]!.from).toBe(0)
  expect(bars.at(-2)!.to).toBeCloseTo(bars.at(-1)!.to!)
  expect(bars[1]!.from).toBe(bars[0]!.to)
  expect(getBars('pipelined').filter(bar => bar === undefined)).toHaveLength(2)
  expect(drawChart(waterfall([], 'alone', ''))).toBeUndefined()
})

test('a goal lies right of 1 when it was met, left of it when it was missed, and nowhere when it is a difference', () => {
  const goal = { id: 'a', work: 'a', reference: 'raw', figure: '', against: '', compare: 'ratio' } as const
  const chart = goalsChart([
    { ...goal, bound: 'at most', goal: 2, measured: 1, interval: [0.9, 1.1], outcome: 'met' },
    { ...goal, bound: 'at least', goal: 2, measured: 1, interval: [0.9, 1.1], outcome: 'missed' },
    { ...goal, bound: 'at most', compare: 'difference', goal: 2, measured: -1, interval: null, outcome: 'met' },
  ])
  expect(chart.groups[0]!.rows.map(({ tone, marks }) => [tone, marks.at(-1)!.from])).toEqual([
    ['better', 2],
    ['worse', 0.5],
  ])
})
