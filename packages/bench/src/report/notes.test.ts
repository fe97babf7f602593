import { expect, test } from 'vitest'
import { sampleReport } from '../../test/sample-report.js'
import { notes } from './notes.js'
import type { Report } from './report.js'

const noted = (change: (report: Report) => void): string => {
  const report = sampleReport()
  change(report)
  return notes(report).join(' ')
}

test('a quiet machine: what the run could have shown, and how steady the reference was', () => {
  const [effect, reference] = notes(sampleReport())
  expect(effect).toMatch(/^The smallest effect that half .* could have shown is \d+ %; of nine in ten, \d+ %\.$/)
  expect(reference).toBe('The reference’s own p50 lay between 40.0 µs and 50.0 µs from round to round.')
})

test('a busy machine, a reference that jumped, and rounds that were left out are told', () => {
  expect(noted(({ machine }) => (machine.busyBefore = 0.4))).toContain('Others took 40 % of the CPU time')
  const jumped = noted(({ scenarios }) => (scenarios[0]!.cases[0]!.results[0]!.figures[0]!.high = 100))
  expect(jumped).toContain('trust the ratios')
  expect(noted(({ isolationCost }) => (isolationCost[4]!.pipelined = -1))).toContain(
    'A step of the isolation cost below',
  )
  const late = noted(({ scenarios }) => (scenarios[1]!.measuredRounds = 1))
  expect(late).toContain('fewer rounds were measured: documents 1 of 2.')
})
