import { expect, test } from 'vitest'
import { getScenario, sampleReport } from '../../test/sample-report.js'
import { getAnswer } from './answer.js'

test('says what a call costs, compared with a raw MessagePort, and how many fit in a second', () => {
  expect(getAnswer(sampleReport())).toBe(
    'A call: 25.0 µs over a ring, 55.0 µs over a port, 105 µs isolated (raw MessagePort: 45.0 µs). ' +
      '64 in flight: 3.20 M/s over a ring (raw MessagePort: 1.60 M/s).',
  )
})

test('is about the calls that were measured, and leaves out arms that were not', () => {
  const report = sampleReport(undefined, [getScenario('busy')])
  expect(getAnswer(report)).toBeUndefined()
  const { arms, cases } = getScenario('isolation')
  const only = {
    ...getScenario('isolation'),
    arms: [arms[0], arms.find(({ id }) => id === 'ring-json')!] as const,
    cases: cases.slice(0, 1),
  }
  expect(getAnswer(sampleReport(outcomes => [...outcomes], [only]))).toBe(
    'A call, one at a time: 25.0 µs over a ring (raw MessagePort: 45.0 µs).',
  )
})
