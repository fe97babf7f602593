import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { BusError } from './bus-error.js'
import { receiveError, reportError } from './reported-error.js'
import { MAX_REPORT_BYTES } from '../wire/limits.js'

describe('reportError', () => {
  it('includes message, stack, reason and cause', () => {
    const error = new BusError('InvalidParams', 'wrong')
    const stack = expect.stringMatching(/^BusError \[InvalidParams\]: wrong\n {4}at .*reported-error\.test\.ts/)
    expect(reportError(error)).toEqual({ message: 'wrong', stack, reason: 'InvalidParams' })
    expect(reportError(new TypeError('x'))).not.toHaveProperty('reason')
    expect(reportError(Object.assign(new Error('x'), { reason: 5, stack: undefined }))).toMatchObject({
      message: 'x',
      thrown: { properties: { reason: 5 } },
    })
    expect(reportError(new Error('x', { cause: new Error('why') })).stack).toMatch(/\[cause\]: Error: why/)
  })

  it('describes whatever was thrown', () =>
    rows([
      ['a string', 'a string'],
      [undefined, 'undefined'],
      [null, 'null'],
      [42, '42'],
      [{ a: 1 }, '[object Object]'],
      [Object.create(null), 'a value that cannot be shown'],
      [{ toString: 1, valueOf: 1 }, 'a value that cannot be shown'],
    ])((thrown, message) => expect(reportError(thrown)).toEqual({ message })))
})

describe('receiveError', () => {
  it('returns the reported error', () => {
    const error = receiveError(reportError(new BusError('Denied', 'no')), 'it failed')
    expect(error).toMatchObject({ name: 'BusError', reason: 'Denied', message: 'no', code: -32001 })
  })

  it('returns a Crashed for an invalid report', () =>
    rows([
      undefined,
      null,
      5,
      { message: { toString: 1, valueOf: 1 } },
      { message: 'x', reason: { toString: 1, valueOf: 1 } },
      { message: 'x', reason: 'toString' },
      { message: 'x', reason: '__proto__', stack: 7 },
    ])(report => {
      const error = receiveError(report, 'x')
      expect(error).toMatchObject({ reason: 'Crashed', message: 'x', code: -32007 })
      expect(error.stack).toBeTypeOf('string')
    }))
})

it('truncates texts, so that a report fits into the pipe of a process', () => {
  const long = new Error('\u0001'.repeat(3e6))
  const reported = reportError(
    Object.assign(long, { errors: Array.from({ length: 9 }, () => new Error(long.message)) }),
  )
  expect(reported.message.endsWith('\u0001…')).toBe(true)
  expect(JSON.stringify(reported).length).toBeLessThan(MAX_REPORT_BYTES)
})
