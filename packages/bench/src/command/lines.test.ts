import { readFigures } from '@sallyport/compare/internal/figure-lines'
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
  const figures = readFigures(toLines(sampleReport(uneven, [getScenario('shapes')])))
  expect(figures.find(({ name }) => name === 'shapes/steady/ring-json/p50')).toMatchObject({
    value: 20,
    unit: 'µs',
    better: 'lower',
  })
  expect(figures.find(({ name }) => name === 'shapes/64/ring-json/rate')).toMatchObject({ value: 40, better: 'higher' })
})
