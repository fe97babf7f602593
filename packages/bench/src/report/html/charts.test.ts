import { describe, expect, test } from 'vitest'
import { noisySample, sampleReport, withFailure } from '../../../test/sample-report.js'
import type { CaseReport, Figure, ScenarioReport } from '../report.js'
import { forest } from './forest.js'
import { goalsChart } from './goals-chart.js'
import { lineCharts } from './lines.js'
import { percentiles } from './percentiles.js'
import { waterfall } from './waterfall.js'

const ofIsolation = (report = noisySample()): ScenarioReport => report.scenarios.find(({ id }) => id === 'isolation')!

const ratio = (value: number, low: number, high: number, better: Figure['better'] = 'lower'): Figure => ({
  ...{ id: 'p50', title: 'p50', unit: 'µs', better, median: 10, low: 9, high: 11 },
  ...{ ratio: value, interval: [low, high], smallestEffect: 1.1, processes: [[10]] },
})

describe('a forest plot', () => {
  const tones = (...figures: Figure[]): string[] =>
    forest([{ rows: figures.map(figure => ({ name: 'arm', figure })) }], 'p50', 'raw')!.groups[0]!.rows.map(
      ({ tone }) => tone,
    )

  test('calls nothing better or worse whose interval lies across 1, and by direction else', () => {
    expect(tones(ratio(1.2, 0.9, 1.4), ratio(1.2, 1.1, 1.4), ratio(0.8, 0.7, 0.9))).toEqual(['same', 'worse', 'better'])
    expect(tones(ratio(1.2, 1.1, 1.4, 'higher'), ratio(0.8, 0.7, 0.9, 'higher'))).toEqual(['better', 'worse'])
  })

  test('judges nothing in a run that was too noisy', () => {
    const chart = forest([{ rows: [{ name: 'arm', figure: ratio(3, 2.9, 3.1) }] }], 'p50', 'raw', false)!
    expect(chart.groups[0]!.rows[0]!.tone).toBe('same')
  })

  test('has an interval around each point, in order, and 1 among its ticks', () => {
    const chart = forest([{ rows: [{ name: 'arm', figure: ratio(1.2, 1.1, 1.4) }] }], 'p50', 'raw')!
    const [band, range, point] = chart.groups[0]!.rows[0]!.marks
    expect([band!.kind, range!.kind, point!.kind]).toEqual(['band', 'range', 'point'])
    expect(range!.from).toBeLessThan(point!.from)
    expect(range!.to).toBeGreaterThan(point!.from)
    expect(chart.ticks.find(({ strong }) => strong)?.text).toBe('1×')
    expect(chart.groups[0]!.rows[0]!.values).toEqual(['1.20×', '1.10–1.40×', '10.0 µs'])
  })

  test('cuts an interval that would make all others too short, and shows that it did', () => {
    const rows = [ratio(1.2, 1.1, 1.4), ratio(1.1, 0.0001, 9000)].map(figure => ({ name: 'arm', figure }))
    const [short, long] = forest([{ rows }], 'p50', 'raw')!.groups[0]!.rows
    expect(long!.marks.find(({ kind }) => kind === 'range')).toMatchObject({ cut: 'both' })
    const { from, to } = short!.marks.find(({ kind }) => kind === 'range')!
    expect(to! - from).toBeGreaterThan(5)
  })

  test('is left out where nothing has a ratio', () => {
    expect(
      forest([{ rows: [{ name: 'arm', figure: { ...ratio(1, 1, 1), ratio: null, interval: null } }] }], '', ''),
    ).toBeNull()
  })
})

describe('percentiles', () => {
  test('have a point for each, from the fastest arm to the slowest', () => {
    const [alone] = ofIsolation().cases
    const rows = percentiles(ofIsolation(), alone!)!.groups[0]!.rows
    expect(rows.map(({ name }) => name)).toContain('raw MessagePort (reference)')
    const firsts = rows.map(({ marks }) => marks.find(({ kind }) => kind === 'point')!.from)
    expect(firsts).toEqual(firsts.toSorted((one, other) => one - other))
    for (const { marks } of rows) expect(marks.filter(({ kind }) => kind === 'point')).toHaveLength(2)
  })

  test('are left out of a case with rates alone', () => {
    expect(percentiles(ofIsolation(), ofIsolation().cases.at(-1)!)).toBeNull()
  })
})

test('steps of the isolation cost end where the whole ends', () => {
  const { isolationCost } = sampleReport()
  const rows = waterfall(isolationCost, 'alone', 'A call alone')!.groups[0]!.rows
  const bars = rows.map(({ marks: [bar] }) => bar!)
  expect(bars[0]!.from).toBe(0)
  expect(bars.at(-2)!.to).toBe(bars.at(-1)!.to)
  expect(bars[1]!.from).toBe(bars[0]!.to)
  const pipelined = waterfall(isolationCost, 'pipelined', 'Each of 64')!.groups[0]!.rows
  expect(pipelined.filter(({ marks }) => marks.length === 0).map(({ values }) => values)).toEqual([['–'], ['–']])
  expect(waterfall([], 'alone', '')).toBeNull()
})

test('a goal that was met lies right of 1, one that was missed left of it', () => {
  const goal = { id: 'a', work: 'a', reference: 'raw', figure: '', against: '', compare: 'ratio' } as const
  const chart = goalsChart(
    [
      { ...goal, bound: 'at most', goal: 2, measured: 1, interval: [0.9, 1.1], outcome: 'met' },
      { ...goal, bound: 'at least', goal: 2, measured: 1, interval: [0.9, 1.1], outcome: 'missed' },
      { ...goal, bound: 'at most', compare: 'difference', goal: 2, measured: -1, interval: null, outcome: 'met' },
    ],
    true,
  )!
  const one = chart.ticks.find(({ strong }) => strong)!.at
  const [met, missed, ...others] = chart.groups[0]!.rows.map(({ marks }) => marks.at(-1)!.from)
  expect(met).toBeGreaterThan(one)
  expect(missed).toBeLessThan(one)
  expect(others).toEqual([])
})

describe('line charts', () => {
  const scenario = ofIsolation()
  const [first] = scenario.cases
  const sized = (title: string, payloadBytes: number): CaseReport => ({
    ...first!,
    id: `s${payloadBytes}`,
    title,
    payloadBytes,
  })

  test('by a number in the ids of cases: a line for each arm, by equal factors', () => {
    const cases = [1, 8, 64, 512].map(count => ({ ...first!, id: String(count), title: `${count} in flight` }))
    const [chart] = lineCharts({ ...scenario, cases })
    expect(chart).toMatchObject({ title: 'P50, 1 to 512 in flight', x: [0, 3, 6, 9], xLabels: ['1', '8', '64', '512'] })
    expect(chart!.series.map(({ name }) => name)).toEqual(scenario.arms.map(({ title }) => title))
    expect(chart!.series.filter(({ bold }) => bold)[0]!.name).toBe('raw MessagePort')
    expect(chart!.series.filter(({ bold }) => bold).length).toBeLessThanOrEqual(7)
  })

  test('by sizes, with nothing left of the least', () => {
    const cases = [sized('0 B', 0), sized('1 MiB', 2 ** 20), sized('64 B', 64)]
    const [chart] = lineCharts({ ...scenario, cases })
    expect(chart).toMatchObject({ x: [4, 6, 20], xLabels: ['0 B', '64 B', '1 MiB'] })
    const byId = [1, 16, 64].map(kib => ({ ...sized('objects', kib * 1024), id: `${kib}-kib` }))
    expect(lineCharts({ ...scenario, cases: byId })[0]).toMatchObject({ xLabels: ['1 KiB', '16 KiB', '64 KiB'] })
  })

  test('not of documents, not of two cases, and without the arms that failed', () => {
    expect(lineCharts({ ...scenario, cases: [sized('push', 1), sized('issues', 2), sized('pull', 3)] })).toEqual([])
    expect(lineCharts({ ...scenario, cases: scenario.cases.slice(0, 2) })).toEqual([])
    const failed = ofIsolation(sampleReport(withFailure('isolation', 'ring-json', 'gone')))
    const cases = [1, 2, 3].map(id => ({ ...failed.cases[0]!, id: String(id) }))
    expect(lineCharts({ ...failed, cases })[0]!.series).toHaveLength(failed.arms.length - 1)
  })
})
