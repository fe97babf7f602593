import { expect, test } from 'vitest'
import { sampleReport } from '../../test/sample-report.js'
import { getScenario } from '../scenarios/index.js'
import { findFigure } from './report.js'
import { scenarioTable } from './table.js'

test('what is aside is reported, and has no column', () => {
  const report = sampleReport(undefined, [getScenario('throughput')])
  expect(findFigure(report, 'throughput/512/ring-json/each')).toMatchObject({ aside: true })
  const { head, rows } = scenarioTable(report.scenarios[0]!)
  expect(head).toEqual(['', '1 call', '8 calls', '64 calls', 'CPU each', '512 calls'])
  for (const row of rows) expect(row).toHaveLength(head.length)
})
