import { expect, test } from 'vitest'
import { noisySample, sampleReport, withFailure } from '../../test/sample-report.js'
import { createBaseline, getFingerprint, reportFiles, type Baseline } from './files.js'
import { everyFigure } from './report.js'

test('writes the report in five forms', () => {
  const report = sampleReport()
  const files = reportFiles(report)
  expect(Object.keys(files)).toEqual(['report.json', 'report.md', 'report.html', 'comment.md', 'baseline.json'])
  expect(JSON.parse(files['report.json'])).toEqual(report)
})

test('keeps every ratio to another arm in the baseline, and the fingerprint of what it holds for', () => {
  const report = noisySample()
  const { ratios, fingerprint } = JSON.parse(reportFiles(report)['baseline.json']) as Baseline
  const others = everyFigure(report).filter(({ arm, scenario }) => arm.id !== scenario.reference)
  expect(Object.keys(ratios)).toEqual(others.map(({ path }) => path))
  expect(ratios['isolation/1/ring-json/p50']?.interval).toHaveLength(2)
  expect(fingerprint).toMatchObject({ machine: 'linux x64 Sample CPU 3.0 GHz', cores: 4, nodeMajor: 20 })
  expect(fingerprint.references['isolation']).toBe('raw MessagePort')
  const other = { ...report, machine: { ...report.machine, node: 'v24.1.0' } }
  expect(getFingerprint(other).nodeMajor).toBe(24)
})

test('keeps no ratio of an arm that failed', () => {
  const report = sampleReport(withFailure('isolation', 'isolation-ring-json', 'gone'))
  expect(
    Object.keys(createBaseline(report).ratios).filter(path => /^isolation\/.*\/isolation-ring-json\//.test(path)),
  ).toEqual([])
})
