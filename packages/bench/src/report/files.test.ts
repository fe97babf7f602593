import { expect, test } from 'vitest'
import { noisySample, sampleReport, withFailure } from '../../test/sample-report.js'
import { baselineOf, fingerprintOf, type Baseline } from './baseline.js'
import { reportFiles } from './files.js'
import { everyFigure, type Report } from './report.js'

interface Entry {
  name: string
  unit: string
  value: number
  range: string
}

const parsed = <T>(report: Report, name: keyof ReturnType<typeof reportFiles>): T =>
  JSON.parse(reportFiles(report)[name]) as T

test('github-action-benchmark: each figure in one of the two files, by what is better, under a name of its own', () => {
  const report = noisySample()
  const bigger = parsed<Entry[]>(report, 'customBiggerIsBetter.json')
  const smaller = parsed<Entry[]>(report, 'customSmallerIsBetter.json')
  const names = [...bigger, ...smaller].map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { path, figure } of everyFigure(report)) {
    const own = figure.better === 'higher' ? bigger : smaller
    expect(own).toContainEqual(expect.objectContaining({ name: path, value: figure.median }))
    expect(own.find(({ name }) => name === `${path} ÷ reference`)?.value ?? 1).toBe(figure.ratio)
  }
  expect(bigger.find(({ name }) => name === 'isolation/64/ring-json/rate')).toMatchObject({ unit: 'ops/s' })
})

test('Bencher: latency in nanoseconds, throughput a second, each with its bounds', () => {
  const report = sampleReport()
  type Metrics = Record<string, { value: number; lower_value: number; upper_value: number }>
  const benchmarks = parsed<Record<string, Metrics>>(report, 'bencher.json')
  expect(benchmarks['isolation/1/raw']?.['latency']).toEqual({
    value: 45_000,
    lower_value: 40_000,
    upper_value: 50_000,
  })
  expect(benchmarks['isolation/64/raw']?.['throughput']?.value).toBe(1_600_000)
  expect(benchmarks['isolation/1/ring-json']?.['latency-ratio']?.value).toBe(0.5477)
  for (const measure of Object.values(benchmarks).flatMap(Object.keys)) expect(measure).toMatch(/^[a-z0-9-]{1,64}$/)
  for (const { value, lower_value, upper_value } of Object.values(benchmarks).flatMap(Object.values)) {
    expect(lower_value).toBeLessThanOrEqual(value)
    expect(upper_value).toBeGreaterThanOrEqual(value)
  }
})

test('the baseline has every ratio to another arm, and what it holds for', () => {
  const report = noisySample()
  const { ratios, fingerprint } = parsed<Baseline>(report, 'baseline.json')
  const others = everyFigure(report).filter(({ arm, scenario }) => arm.id !== scenario.reference)
  expect(Object.keys(ratios)).toEqual(others.map(({ path }) => path))
  expect(ratios['isolation/1/ring-json/p50']?.interval).toHaveLength(2)
  expect(fingerprint).toMatchObject({ machine: 'linux x64 Sample CPU 3.0 GHz', cores: 4, nodeMajor: 20 })
  expect(fingerprint.references['isolation']).toBe('raw MessagePort')
  const other = { ...report, machine: { ...report.machine, node: 'v24.1.0' } }
  expect(fingerprintOf(other).nodeMajor).toBe(24)
})

test('an arm that failed is in none of them', () => {
  const report = sampleReport(withFailure('isolation', 'isolation-ring-json', 'gone'))
  expect(
    Object.keys(baselineOf(report).ratios).filter(path => /^isolation\/.*\/isolation-ring-json\//.test(path)),
  ).toEqual([])
  expect(reportFiles(report)['bencher.json']).not.toContain('isolation/1/isolation-ring-json')
})
