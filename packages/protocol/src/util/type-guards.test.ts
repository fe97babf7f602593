// Values of another realm. tests/test-runners runs a whole bus in one.
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { codecs } from '../codec/codecs.js'
import { openRing } from '../link/ring/ring-buffer.js'
import { checkDeadline, createAbortError } from '../rpc/call-options.js'
import { describeThrown, isBusError } from '../errors/bus-error.js'
import { toBusError } from '../errors/command-error.js'
import { reportError } from '../errors/error-data.js'
import { isError } from './type-guards.js'

const evaluate = (code: string): any => runInNewContext(code)

const encode = (value: unknown): unknown =>
  codecs.msgpack.encode({ jsonrpc: '2.0', method: 'a', params: { value } } as never)

test('msgpack writes and refuses built-in objects of another realm as those of this one', () => {
  const { date, plain, ...others } = evaluate(
    `({ date: new Date(5), plain: { b: [] }, map: new Map(), set: new Set(), regExp: /x/g, error: new Error('no') })`,
  ) as Record<string, unknown>
  expect(encode([date, plain])).toEqual(encode([new Date(5), { b: [] }]))
  for (const [name, value] of Object.entries(others))
    expect(() => encode(value)).toThrow(new RegExp(`is a value of type ${name}`, 'i'))
})

test('msgpack takes a built-in object for what it is, whatever its `Symbol.toStringTag` says', () => {
  class Registry extends Map<string, number> {
    override readonly [Symbol.toStringTag] = 'Registry'
  }
  expect(() => encode(new Registry([['a', 1]]))).toThrow('is a value of type Map')
  expect(encode({ [Symbol.toStringTag]: 'Date', a: 1 })).toEqual(encode({ a: 1 }))
})

test('errors of another realm arrive as errors of this one', () => {
  const error = evaluate(`Object.assign(new RangeError('too large'), { secret: 1 })`)
  // As code of another realm sees it, whose `Error` is none of its prototypes.
  const foreign = { message: 'late', [Symbol.toStringTag]: 'DOMException' }
  expect([isError(error), isError(foreign), isError({ message: 'no' })]).toEqual([true, true, false])
  expect([describeThrown(error), toBusError('a', error).data]).toEqual(['too large', 'too large'])
  expect(reportError(error)).toMatchObject({ message: 'too large', stack: expect.stringContaining('RangeError') })
  expect(isBusError(error)).toBe(false)
  const hostile = Object.defineProperty({}, Symbol.toStringTag, { get: () => evaluate('throw 1') as never })
  expect(isError(hostile)).toBe(false)
})

test("another realm's signal is taken, and its deadline is a timeout", () => {
  expect(() =>
    checkDeadline('a call', { signal: evaluate('({ get [Symbol.toStringTag]() { return "AbortSignal" } })') }),
  ).not.toThrow()
  const reason = evaluate(`Object.assign(new Error('late'), { name: 'TimeoutError' })`)
  expect(createAbortError('a call', AbortSignal.abort(reason)).reason).toBe('Timeout')
})

test('shared memory of another realm is recognized', () => {
  expect(openRing(evaluate('new SharedArrayBuffer(512 + 1024)')).size).toBe(1024)
})
