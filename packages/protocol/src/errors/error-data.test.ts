import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { MAX_REPORT_BYTES } from '../wire/limits.js'
import { BusError, toErrorObject } from './bus-error.js'
import { CommandError, toBusError } from './command-error.js'
import { fromCausedErrorObject, receiveError, reportError, toCausedErrorObject } from './error-data.js'

const thrown = Object.assign(new TypeError('no'), { stack: 'TypeError: no\n    at run (file:///app/plugin.js:3:7)' })

it('sends the name, the message and the stack of a thrown error, which other frontends do not get', () => {
  const error = toBusError('run', thrown)
  expect(toErrorObject(error)).toEqual({ code: -32000, message: 'no', data: 'no' })
  const received = fromCausedErrorObject(toCausedErrorObject(error))
  expect(received).toMatchObject({ reason: 'CommandFailed', message: 'no', data: 'no' })
  const cause = received.cause as Error
  expect([cause.name, cause.message, cause.stack]).toEqual(['TypeError', 'no', thrown.stack])
  expect([Object.keys(cause), Object.keys(received)]).not.toContain('cause')
})

it('sends the stack of a CommandError, and of an error of the bus that the function did not catch', () =>
  rows([new CommandError('GONE', 'it is gone'), new BusError('Denied', 'it is denied')])(error => {
    const { stack } = fromCausedErrorObject(toCausedErrorObject(toBusError('run', error))).cause as Error
    expect(stack).toContain('error-data.test')
  }))

it('takes no members of a text', () => {
  const received = fromCausedErrorObject(JSON.parse('{"code":-32000,"message":"no","cause":{"properties":"abc"}}'))
  expect(Object.keys(Object(received.cause))).toEqual([])
})

it('sends no cause of a thrown value that is no error', () => {
  expect(toCausedErrorObject(toBusError('run', { kind: 'NotFound' }))).not.toHaveProperty('cause')
})

const http = (text: string, status: number): Error => Object.assign(new Error(text), { status, code: 'E_HTTP' })

it('sends own properties that JSON can represent, the chain of causes, and errors in it', () => {
  const cause = new Error('why', { cause: http('refused', 503) })
  const error = Object.assign(new AggregateError([http('one', 1), http('two', 2)], 'both', { cause }), {
    details: { ids: [1] },
    run: () => {},
    big: 1n,
    self: globalThis,
    toString: 1,
    long: 'x'.repeat(2000),
  })
  const received = fromCausedErrorObject(JSON.parse(JSON.stringify(toCausedErrorObject(toBusError('run', error)))))
    .cause as AggregateError
  expect(Object.entries(received)).toEqual([['details', { ids: [1] }]])
  expect(received).toMatchObject({ name: 'AggregateError', message: 'both' })
  expect(received.errors).toMatchObject([{ message: 'one', status: 1, code: 'E_HTTP' }, { status: 2 }])
  expect(received.cause).toMatchObject({ message: 'why', cause: { message: 'refused', status: 503 } })
})

it('bounds the number of errors and of properties, also of those that contain themselves', () => {
  const error: Error & { errors?: unknown } = http('', 1)
  Object.assign(error, Object.fromEntries(Array.from({ length: 99 }, (_, n) => [`p${n}`, n])))
  const errors = Array.from({ length: 99 }, (_, n) => new Error(`e${n}`, { cause: error }))
  Object.assign(error, { cause: error, errors })
  const { cause } = toCausedErrorObject(toBusError('run', error))
  expect([Object.keys(cause!.properties!).length, cause!.cause, cause!.errors!.length]).toEqual([20, undefined, 9])
  const many = Array.from({ length: 99 }, () => cause)
  const received = fromCausedErrorObject({ code: 1, message: 'm', cause: { ...cause!, errors: many as never } })
  expect((received.cause as AggregateError).errors).toHaveLength(1)
})

it('bounds each text', () => {
  const long = Object.assign(new Error('m'.repeat(1e6)), { name: 'n'.repeat(1e6), stack: 's'.repeat(1e6) })
  const { cause } = toCausedErrorObject(toBusError('run', long))
  expect([cause!.name.length, cause!.message.length, cause!.stack.length]).toEqual([100, 4096, 16_384])
})

it('takes nothing but strings from a frontend', () => {
  const received = (cause: unknown): unknown =>
    fromCausedErrorObject({ code: -32000, message: 'm', cause: cause as never }).cause
  expect(received('text')).toBeUndefined()
  expect(received(null)).toBeUndefined()
  expect(received({ name: {}, message: 1, stack: ['at'] })).toMatchObject({ name: '', message: '', stack: '' })
})

it('leaves out the cause of an error whose getters throw', () => {
  const hostile = Object.defineProperty(new Error('m'), 'stack', {
    get() {
      throw new Error('no')
    },
  })
  expect(toCausedErrorObject(new BusError('CommandFailed', 'm', { cause: hostile }))).toEqual({
    code: -32000,
    message: 'm',
  })
})

describe('reportError', () => {
  it('includes message, stack, reason and cause', () => {
    const error = new BusError('InvalidParams', 'wrong')
    const stack = expect.stringMatching(/^BusError \[InvalidParams\]: wrong\n {4}at .*error-data\.test\.ts/)
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

it('does not read data to its end that is too long for a property', () => {
  let read = 0
  const item = { toJSON: () => ++read }
  const error = Object.assign(new Error('no'), {
    items: Array.from({ length: 2 ** 16 }, () => item),
    small: { n: [1] },
  })
  const { cause } = toCausedErrorObject(toBusError('run', error)) as { cause: { properties: object } }
  expect(cause.properties).toEqual({ small: { n: [1] } })
  expect(read).toBeLessThan(2000)
})
