// The table of codes is stable, errors survive the wire, and errors other than the bus's own reveal nothing on it.
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { codecs } from '../codec/codecs.js'
import type { ErrorMessage } from '../wire/messages.js'
import { BusError, type BusErrorReason, ERROR_CODES, fromErrorObject, isBusError, toErrorObject } from './bus-error.js'

const table: [BusErrorReason, number][] = [
  ['ParseError', -32700],
  ['InvalidRequest', -32600],
  ['MethodNotFound', -32601],
  ['InvalidParams', -32602],
  ['InternalError', -32603],
  ['CommandFailed', -32000],
  ['Denied', -32001],
  ['Rejected', -32002],
  ['Timeout', -32003],
  ['Overloaded', -32004],
  ['Disconnected', -32005],
  ['LoadFailed', -32006],
  ['Crashed', -32007],
  ['Interrupted', -32008],
  ['Cancelled', -32800],
]

const NAMES: Partial<Record<BusErrorReason, string>> = { Cancelled: 'AbortError', Timeout: 'TimeoutError' }

it('has no data of its own without data, so that none is printed', () => {
  const error = new BusError('Denied', 'why')
  expect(Object.keys(error)).not.toContain('data')
  expect(error.data).toBeUndefined()
  expect(Object.keys(new BusError('Denied', 'why', { data: null }))).toContain('data')
})

describe('the code table', () => {
  it('has these codes and no others', () => expect(Object.entries(ERROR_CODES)).toEqual(table))

  it('has one code for each reason, in both directions and both codecs', () =>
    rows(table)((reason, code) => {
      const error = new BusError(reason, 'why', { data: { a: [1] } })
      expect(error).toMatchObject({ name: NAMES[reason] ?? 'BusError', code, reason, message: 'why', data: { a: [1] } })
      expect(toErrorObject(error)).toEqual({ code, message: 'why', data: { a: [1] } })
      for (const codec of Object.values(codecs)) {
        const message = { jsonrpc: '2.0', id: 1, error: toErrorObject(error) } as const
        const arrived = codec.decode(Buffer.from(codec.encode(message) as string)) as ErrorMessage
        expect(fromErrorObject(arrived.error)).toEqual(error)
        expect(fromErrorObject(arrived.error).reason).toBe(reason)
      }
    }))

  it('maps an unknown code to InternalError and keeps the message', () =>
    rows([0, 1, -32099, -32768, 404, Number.NaN])(code =>
      expect(fromErrorObject({ code, message: 'x', data: 1 })).toMatchObject({ code: -32603, message: 'x', data: 1 }),
    ))
})

describe('BusError', () => {
  it('has its code among its data, here and where it arrives', () => {
    const error = new BusError('Overloaded', 'no', { code: 'RATE_LIMITED', data: { retryAfter: 5 } })
    for (const each of [error, fromErrorObject(toErrorObject(error))])
      expect(each.data).toEqual({ code: 'RATE_LIMITED', retryAfter: 5 })
    expect(new BusError('Denied', 'no', { code: 'NOT_ALLOWED' }).data).toEqual({ code: 'NOT_ALLOWED' })
  })

  it('is an Error with a stack, and with a cause if one is given', () => {
    const error = new BusError('Timeout', 'late')
    expect(error).toBeInstanceOf(Error)
    expect(error.stack).toContain('error.test.ts')
    expect(error.stack!.split('\n')[0]).toBe(String(error))
    expect('cause' in error).toBe(false)
    expect(error.data).toBeUndefined()
    expect('cause' in new BusError('Timeout', 'late', { cause: undefined })).toBe(true)
    expect(new BusError('Timeout', 'late', { cause: 3 }).cause).toBe(3)
  })

  it('is converted to a string with its name and reason', () =>
    expect(String(new BusError('Denied', 'no'))).toBe('BusError [Denied]: no'))
})

const impostor = Object.assign(new Error('x'), { name: 'BusError', reason: 'Denied' })

describe('isBusError', () => {
  it('recognizes errors of this and of another copy of the package', () => {
    const other = Object.assign(new Error('x'), { [Symbol.for('sallyport.BusError')]: true, reason: 'Denied' })
    expect(isBusError(new BusError('Denied', ''))).toBe(true)
    expect(isBusError(new BusError('Denied', ''), 'Denied')).toBe(true)
    expect(isBusError(new BusError('Denied', ''), 'Timeout')).toBe(false)
    expect(isBusError(other, 'Denied')).toBe(true)
    expect(isBusError(other, 'Timeout')).toBe(false)
  })

  it('is false for anything else', () =>
    rows([undefined, null, 'BusError', { name: 'BusError', reason: 'Denied' }, new Error('x'), impostor])(other => {
      expect(isBusError(other)).toBe(false)
      expect(isBusError(other, 'Denied')).toBe(false)
    }))
})

describe('toErrorObject', () => {
  it('omits undefined data, and keeps null and false', () => {
    expect(toErrorObject(new BusError('Denied', 'no'))).toEqual({ code: -32001, message: 'no' })
    expect('data' in toErrorObject(new BusError('Denied', 'no'))).toBe(false)
    expect(toErrorObject(new BusError('CommandFailed', '', { data: null }))).toHaveProperty('data', null)
    expect(toErrorObject(new BusError('CommandFailed', '', { data: false }))).toHaveProperty('data', false)
  })

  it('includes neither stack nor cause', () => {
    const error = new BusError('CommandFailed', 'x', { cause: new Error('/home/secret') })
    expect(Object.keys(toErrorObject(error))).toEqual(['code', 'message'])
  })

  it('reveals nothing of anything else', () =>
    rows([new Error('/home/secret'), 'a string', null, undefined, { code: -32000, message: '/home/secret' }])(other =>
      expect(toErrorObject(other)).toEqual({ code: -32603, message: 'Internal error' }),
    ))
})
