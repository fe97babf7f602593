import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { CrashReport } from './node-process.js'

test('withholds a report from its first line on', () =>
  rows(['<--- Last few GCs --->\n', 'FATAL ERROR: Reached heap limit', '#\n# Fatal process out of memory'])(first => {
    const report = new CrashReport()
    expect(report.withhold('é\n')).toBe('é\n')
    expect(report.withhold(`é\n${first}`)).toBe('é\n')
    expect(report.withhold(' 1: 0xb6d560 node::Abort()\n')).toBe('')
    expect(report.withheld).toBe(`${first} 1: 0xb6d560 node::Abort()\n`)
  }))

test('passes the words of a report within a line', () => {
  expect(new CrashReport().withhold('a FATAL ERROR: no\n')).toBe('a FATAL ERROR: no\n')
})

test('returns all that it has withheld from code that prints more than a report', () => {
  const report = new CrashReport()
  let printed = report.withhold('FATAL ERROR: \n')
  for (let n = 0; n < 100; n++) printed += report.withhold('x'.repeat(1000))
  expect(printed + report.withheld).toBe(`FATAL ERROR: \n${'x'.repeat(100_000)}`)
  expect(report.withhold('FATAL ERROR: again')).toBe('FATAL ERROR: again')
})
