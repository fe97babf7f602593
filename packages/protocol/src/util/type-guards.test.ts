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

test('msgpack writes built-in objects of another realm as those of this one', () => {
  const foreign = evaluate(
    `({ date: new Date(5), map: new Map([['a', 1]]), set: new Set([1]), regExp: /x/g, error: new Error('no'), plain: { b: [] } })`,
  )
  const { date, map, set, regExp, error, plain } = foreign
  const local = { date: new Date(5), map: new Map([['a', 1]]), set: new Set([1]), regExp: /x/g, error: new Error('no') }
  const encode = (params: object): unknown => codecs.msgpack.encode({ jsonrpc: '2.0', method: 'a', params } as never)
  expect(encode({ date, map, set, regExp, error, plain })).toEqual(encode({ ...local, plain: { b: [] } }))
})

test('msgpack writes a built-in object by what it is, whatever its `Symbol.toStringTag` says', () => {
  class Registry extends Map<string, number> {
    override readonly [Symbol.toStringTag] = 'Registry'
  }
  const encode = (params: object): unknown => codecs.msgpack.encode({ jsonrpc: '2.0', method: 'a', params } as never)
  const tagged = { [Symbol.toStringTag]: 'Date', a: 1 }
  expect(encode({ map: new Registry([['a', 1]]), tagged })).toEqual(
    encode({ map: new Map([['a', 1]]), tagged: { a: 1 } }),
  )
})

test('errors of another realm arrive as errors of this one', () => {
  const error = evaluate(`Object.assign(new RangeError('too large'), { secret: 1 })`)
  expect([isError(error), isError(new DOMException('late')), isError({ message: 'no' })]).toEqual([true, true, false])
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
