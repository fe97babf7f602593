import { describe, expect, test } from 'vitest'
import { BASELINE_VERSION, type Baseline, type BaselineRatio, type Fingerprint } from '../report/files.js'
import type { Figure, ScenarioReport } from '../report/report.js'
import { latency, rate } from '../model/scenario.js'
import { sampleReport } from '../../test/sample-report.js'
import { getDifferences, judgeRatios, readBaseline } from './saved-ratios.js'

const fingerprint: Fingerprint = {
  machine: 'linux x64 CPU',
  cores: 4,
  nodeMajor: 24,
  references: { call: 'raw', io: 'raw' },
}

const between = (low: number, high: number, better: 'lower' | 'higher' = 'lower'): BaselineRatio => ({
  ratio: Math.sqrt(low * high),
  interval: [low, high],
  better,
})

const baseline = (ratios: Baseline['ratios']): Baseline => ({
  baselineVersion: BASELINE_VERSION,
  tool: { name: 'sallyport-bench', version: '1.0.0' },
  measuredAt: '2026-01-01T00:00:00.000Z',
  fingerprint,
  ratios,
})

describe('a file', () => {
  test('is read as a baseline, or as a report', () => {
    const saved = baseline({ 'call/1/bus/p50': between(1, 1.1) })
    expect(readBaseline(JSON.stringify(saved), 'b.json')).toEqual(saved)
    const read = readBaseline(JSON.stringify(sampleReport()), 'r.json')
    expect(Object.keys(read.ratios).length).toBeGreaterThan(0)
  })

  test.each([
    ['no JSON', '{', 'JSON'],
    ['something else', '{"name":"x"}', 'neither report.json nor baseline.json'],
    ['null', 'null', 'neither report.json nor baseline.json'],
    ['another version', '{"schemaVersion":1}', 'its version is 1'],
    ['a baseline without a fingerprint', JSON.stringify({ ...baseline({}), fingerprint: {} }), 'broken at fingerprint'],
    ['a ratio of nothing', JSON.stringify(baseline({ 'a/b/c/d': { ...between(1, 2), ratio: 0 } })), 'broken at ratios'],
    ['a ratio in words', JSON.stringify(baseline({ 'a/b/c/d': { ...between(1, 2), ratio: '1' as never } })), 'broken'],
    [
      'an interval that ends before it begins',
      JSON.stringify(baseline({ 'a/b/c/d': between(2, 1) })),
      'ends before it begins',
    ],
    ['no ratio', JSON.stringify(baseline({ 'a/b/c/d': null as never })), 'broken'],
    ['a report of something else', JSON.stringify({ ...sampleReport(), scenarios: [{}] }), 'broken'],
    ['a noisy run', JSON.stringify({ ...sampleReport(), noise: { outcome: 'too noisy' } }), 'too noisy'],
  ])('is refused when it is %s', (_, text, words) => {
    expect(() => readBaseline(text, 'x.json')).toThrow(expect.objectContaining({ name: 'UsageError' }))
    expect(() => readBaseline(text, 'x.json')).toThrow(words)
  })
})

describe('the fingerprint', () => {
  test('is the same when machine, cores, major version of Node and references are', () => {
    expect(getDifferences(fingerprint, { ...fingerprint, references: { call: 'raw', newer: 'raw' } })).toEqual([])
  })

  test.each<[Partial<Fingerprint>, string]>([
    [{ machine: 'linux arm64 CPU' }, 'the machine: linux x64 CPU there, linux arm64 CPU here'],
    [{ cores: 2 }, 'its cores: 4 there, 2 here'],
    [{ nodeMajor: 20 }, 'Node: 24 there, 20 here'],
    [{ references: { call: 'raw 2' } }, 'the reference of call: raw there, raw 2 here'],
  ])('differs by %j', (other, words) => {
    expect(getDifferences(fingerprint, { ...fingerprint, ...other })).toEqual([words])
  })
})

describe('ratios', () => {
  const toFigure = ([path, ratio]: [string, BaselineRatio]): Figure => ({
    ...(path.endsWith('rate') ? rate('rate', 'calls') : latency('p50', 'p50')),
    ...{ ...ratio, median: 1, low: 1, high: 1, smallestEffect: 1.1, processes: [[1]] },
  })
  const scenarioWith = (ratios: Baseline['ratios']): ScenarioReport => ({
    ...{ id: 'call', title: '', about: '', rows: 'cases', reference: 'raw', rounds: 1, measuredRounds: 1 },
    arms: [{ id: 'bus', title: 'bus' }],
    cases: [
      {
        ...{ id: '1', title: '1', payload: '', payloadBytes: 0 },
        results: [{ arm: 'bus', figures: Object.entries(ratios).map(toFigure) }],
      },
    ],
  })
  const rule = { tolerance: 1.05, figures: 2 }
  const judged = (before: Baseline['ratios'], now: Baseline['ratios']) =>
    judgeRatios(before, [scenarioWith(now)], rule).map(({ figure, outcome }) => `${figure} ${outcome}`)

  test('are slower when the whole bound is beyond the tolerance, for times and rates', () => {
    expect(judged({ 'call/1/bus/p50': between(1, 1.01) }, { 'call/1/bus/p50': between(1.12, 1.14) })).toEqual([
      'call/1/bus/p50 slower',
    ])
    const rates = [between(1.12, 1.14, 'higher'), between(1, 1.01, 'higher')] as const
    expect(judged({ 'call/1/bus/rate': rates[0] }, { 'call/1/bus/rate': rates[1] })).toEqual(['call/1/bus/rate slower'])
    expect(judged({ 'call/1/bus/rate': rates[1] }, { 'call/1/bus/rate': rates[0] })).toEqual(['call/1/bus/rate faster'])
  })

  test('are not slower when either run leaves a doubt, or only one has the figure', () => {
    expect(judged({ 'call/1/bus/p50': between(0.95, 1.06) }, { 'call/1/bus/p50': between(1.12, 1.14) })).toEqual([
      'call/1/bus/p50 fine',
    ])
    expect(judged({ 'call/1/bus/p50': between(1, 1.01) }, { 'call/1/bus/rate': between(1, 1.01) })).toEqual([])
  })
})
