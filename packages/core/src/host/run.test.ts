import { BusError } from '@sallyport/protocol/internal/errors'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { wasNotDelivered } from './run.js'
import { createRunOutput, toRunError } from './run-report.js'

test('code that can have run does not run again, whatever it throws', () =>
  rows([
    [new BusError('Disconnected', '', { data: { delivered: 'no' } }), true],
    [new BusError('Disconnected', '', { data: { delivered: 'unknown' } }), false],
    [new BusError('Disconnected', ''), false],
    [new BusError('CommandFailed', '', { data: { delivered: 'no' } }), false],
    [undefined, false],
  ])((error, isNot) => expect(wasNotDelivered(error)).toBe(isNot)))

test('a report has the last line of each stream, also without its end', () => {
  const { onStdio, logs } = createRunOutput(undefined, undefined, true)
  for (const stream of ['stderr', 'stdout'] as const) onStdio!(`first\n${stream}`, { label: 'run', stream })
  const lines = ['stdout', 'stderr'].map(text => ({ stream: text, text }))
  expect(logs!()).toEqual([{ stream: 'stderr', text: 'first' }, { stream: 'stdout', text: 'first' }, ...lines])
})

test('the place of an error is found in time in proportion to its length, of which a report has the first 4096', () => {
  const message = `run.js:${'1'.repeat(1_000_000)}- run.js:2:3`
  const text = message.slice(0, 4096)
  const error = new BusError('CommandFailed', message, { data: message })
  expect(toRunError(error)).toMatchObject({ message: text, data: text, line: 2, column: 3 })
})
