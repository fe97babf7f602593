import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { BusError, toErrorObject } from './bus-error.js'
import { CommandError, toBusError } from './command-error.js'
import { fromCausedErrorObject, toCausedErrorObject } from './thrown-error.js'

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

it('sends no stack of an error that tells its caller enough', () =>
  rows([new CommandError('GONE', 'it is gone'), new BusError('Denied', 'it is denied')])(error => {
    const { stack } = fromCausedErrorObject(toCausedErrorObject(toBusError('run', error))).cause as Error
    expect(stack).toContain('thrown-error.test')
  }))

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
