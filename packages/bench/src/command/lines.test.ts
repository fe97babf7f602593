import { expect, test } from 'vitest'
import { getScenario, sampleReport } from '../../test/sample-report.js'
import { readFigures } from '../compare/figure-lines.js'
import type { Outcome } from '../run/run.js'
import { toLines } from './measure.js'

const uneven = (outcomes: Outcome[]): Outcome[] => {
  for (const { processes } of outcomes.flatMap(({ cells }) => cells))
    processes.splice(
      0,
      processes.length,
      [10, 20, 30, 40, 50].map(value => ({ p50: value, p99: value, rate: value })),
    )
  return outcomes
}

test('has the better quartile of each figure that is steady, as a comparison reads it', () => {
  const figures = readFigures(toLines(sampleReport(uneven, [getScenario('shapes')])))
  const ids = [...new Set(figures.map(({ name }) => name.split('/')[1]))]
  expect(ids).toEqual(['steady', 'burst', 'sparse', '64'])
  expect(figures.find(({ name }) => name === 'shapes/steady/ring-json/p50')).toMatchObject({
    value: 20,
    unit: 'µs',
    better: 'lower',
  })
  expect(figures.find(({ name }) => name === 'shapes/64/ring-json/rate')).toMatchObject({ value: 40, better: 'higher' })
})
