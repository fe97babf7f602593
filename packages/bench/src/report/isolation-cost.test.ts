import { expect, test } from 'vitest'
import { sampleReport, withFailure } from '../../test/sample-report.js'

const costOf = (report: ReturnType<typeof sampleReport>): Record<string, [number | null, number | null]> =>
  Object.fromEntries(report.isolationCost.map(({ id, alone, pipelined }) => [id, [alone, pipelined]]))

test('steps are the differences of the arms that differ in one thing', () => {
  expect(costOf(sampleReport())).toEqual({
    brownfield: [25, 0.313],
    'hop-and-codec': [50, 0.781],
    codec: [2, null],
    hop: [48, null],
    hook: [10, 0.156],
    cipher: [20, 0.313],
    isolation: [105, 1.563],
  })
})

test('the steps add up to the whole', () => {
  const { isolationCost } = sampleReport()
  const sum = isolationCost.filter(({ kind }) => kind === 'step').reduce((total, { alone }) => total + (alone ?? 0), 0)
  const [first, last] = [isolationCost[0]?.alone, isolationCost.at(-1)?.alone]
  expect((first ?? NaN) + sum).toBeCloseTo(last ?? NaN)
})

test('without one of the arms there is no decomposition, without the codec alone there is no hop', () => {
  expect(sampleReport(withFailure('isolation', 'hook-ring-json', 'gone')).isolationCost).toEqual([])
  const steps = sampleReport(withFailure('codec', 'json', 'gone')).isolationCost.map(({ id }) => id)
  expect(steps).toEqual(['brownfield', 'hop-and-codec', 'hook', 'cipher', 'isolation'])
})
