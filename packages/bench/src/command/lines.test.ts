import { expect, test } from 'vitest'
import { getScenario, sampleReport } from '../../test/sample-report.js'
import type { Outcome } from '../run/run.js'
import { toLines } from './measure.js'

const uneven = (outcomes: Outcome[]): Outcome[] => {
  for (const { processes } of outcomes.flatMap(({ cells }) => cells))
    processes.splice(
      0,
      processes.length,
      [10, 20, 30, 40, 50].map(value => ({ p50: value, rate: value })),
    )
  return outcomes
}

test('has the better quartile of each figure as a comparison reads it', () => {
  const lines = toLines(sampleReport(uneven, [getScenario('shapes')])).split('\n')
  // As the page of the regression check has them.
  const [time, rate] = [
    { name: 'shapes/steady/ring-json/p50', value: 20, unit: 'µs', better: 'lower' },
    { name: 'shapes/64/ring-json/rate', value: 40, unit: '/s', better: 'higher' },
  ]
  expect(lines).toEqual(expect.arrayContaining([JSON.stringify(time), JSON.stringify(rate)]))
})
