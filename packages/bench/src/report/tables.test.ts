import { expect, test } from 'vitest'
import { sampleReport, getScenario } from '../../test/sample-report.js'
import { findFigure } from './report.js'
import { scenarioTable } from './tables.js'

const throughput = getScenario('throughput')

test('a figure that is marked `aside` is reported, and has a column only in the table of all figures', () => {
  const report = sampleReport(undefined, [throughput])
  expect(findFigure(report, 'throughput/512/ring-json/each')).toMatchObject({ aside: true })
  const { columns, rows } = scenarioTable(report.scenarios[0]!)
  expect(columns.map(({ title }) => title)).toEqual(['', '1 call', '8 calls', '64 calls', 'CPU each', '512 calls'])
  for (const row of rows) expect(row).toHaveLength(columns.length)
  expect(scenarioTable(report.scenarios[0]!, { all: true }).columns.length).toBeGreaterThan(columns.length)
})
