import { expect, test } from 'vitest'
import { rows } from '../../../../../../../scripts/testing.js'
import { CrashReport } from './crash-report.js'

const withhold = (report: CrashReport, text: string): string => report.withhold(Buffer.from(text)).toString()

test('withholds a report from its first line on', () =>
  rows(['<--- Last few GCs --->\n', 'FATAL ERROR: Reached heap limit', '#\n# Fatal process out of memory'])(first => {
    const report = new CrashReport()
    expect(withhold(report, 'é\n')).toBe('é\n')
    expect(withhold(report, `é\n${first}`)).toBe('é\n')
    expect(withhold(report, ' 1: 0xb6d560 node::Abort()\n')).toBe('')
    expect(report.withheld.toString()).toBe(`${first} 1: 0xb6d560 node::Abort()\n`)
  }))

test('passes the words of a report within a line', () => {
  expect(withhold(new CrashReport(), 'a FATAL ERROR: no\n')).toBe('a FATAL ERROR: no\n')
})

test('returns all that it has withheld from code that prints more than a report', () => {
  const report = new CrashReport()
  let printed = withhold(report, 'FATAL ERROR: \n')
  for (let n = 0; n < 100; n++) printed += withhold(report, 'x'.repeat(1000))
  expect(printed + report.withheld.toString()).toBe(`FATAL ERROR: \n${'x'.repeat(100_000)}`)
  expect(withhold(report, 'FATAL ERROR: again')).toBe('FATAL ERROR: again')
})
