import { expect, test } from 'vitest'
import { sampleReport } from '../../test/sample-report.js'
import { reportFiles } from './files.js'

test('writes the report in three forms', () => {
  const report = sampleReport()
  const files = reportFiles(report)
  expect(Object.keys(files)).toEqual(['report.json', 'report.md', 'report.html'])
  expect(JSON.parse(files['report.json'])).toEqual(report)
})
