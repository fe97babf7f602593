// The checks of JSON-RPC messages. An error names the malformed member, and quotes, escapes and truncates untrusted names.
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { BusError, describeCommand, describeName } from '../errors/bus-error.js'
import { addTraceContext, getRequestId, holdsBytes, isRequestId, isResponse, parseCall } from './messages.js'
import { isBytes } from '../util/type-guards.js'

const good = { jsonrpc: '2.0', id: 1, method: 'greet', params: { name: 'World' } }

function refusal(message: unknown): string {
  try {
    parseCall(message)
  } catch (error) {
    expect(error).toBeInstanceOf(BusError)
    expect(error).toMatchObject({ code: -32600, reason: 'InvalidRequest' })
    return (error as BusError).message
  }
  throw new Error('was not refused')
}

describe('parseCall', () => {
  it('returns the same object for a valid call', () =>
    rows({
      'a request': good,
      'a notification': { jsonrpc: '2.0', method: 'emit' },
      'a string id': { ...good, id: 'a' },
      'an empty string id': { ...good, id: '' },
      'the id 0': { ...good, id: 0 },
      'a negative id': { ...good, id: -1 },
      'the largest id': { ...good, id: Number.MAX_SAFE_INTEGER },
      'bytes as params': { ...good, params: new Uint8Array(2) },
      'a buffer as params': { ...good, params: new ArrayBuffer(2) },
      'no params': { jsonrpc: '2.0', id: 1, method: 'greet' },
      'empty params': { ...good, params: {} },
      headers: { ...good, headers: { authorization: 'x' } },
      'no header': { ...good, headers: {} },
      channels: {
        ...good,
        params: { a: '__CHANNEL__:0', b: '__CHANNEL__:4294967295' },
        channels: { a: 0, b: 2 ** 32 - 1 },
      },
      'one channel twice': { ...good, params: { a: '__CHANNEL__:7', b: '__CHANNEL__:7' }, channels: { a: 7, b: 7 } },
      'no channel': { ...good, channels: {} },
      'an unknown member': { ...good, extra: 1 },
    })(message => expect(parseCall(message)).toBe(message)))

  it('rejects a malformed message, and names the member', () =>
    rows<unknown[]>({
      'a message must be an object': [undefined, null, 'greet', 1, true, [good], [], new Uint8Array(3), new Date()],
      '`jsonrpc` must be "2.0"': [undefined, '1.0', 2, null, ['2.0']].map(jsonrpc => ({ ...good, jsonrpc })),
      '`method` must be a non-empty string': [undefined, '', null, 1, ['greet'], {}].map(of => ({
        ...good,
        method: of,
      })),
      '`id` must be a string or a safe integer': [
        ...[null, true, 1.5, 2 ** 53, -(2 ** 53), Number.NaN, Infinity, [1], {}, 10n, new Uint8Array(1)],
      ].map(id => ({ ...good, id })),
      '`params` of "greet" must be an object of named arguments, or bytes': [
        ...[null, [1, 2], 'x', 0, false, 1n, new Date(), new Float64Array(1)],
      ].map(params => ({ ...good, params })),
      '`headers` of "greet" must be an object of strings': [
        ...[null, [], 'x', new Date(), new Uint8Array(1), { a: 'x', b: 1 }, { a: null }, { a: ['x'] }],
      ].map(headers => ({ ...good, headers })),
      '`channels` of "greet" must be': [undefined, new Uint8Array(2)].map(of => ({
        ...good,
        params: of,
        channels: {},
      })),
    })((messages, text) => {
      for (const message of messages) expect(refusal(message), inspect(message)).toContain(`Invalid Request: ${text}`)
    }))

  it('rejects `channels` that are not ids of arguments', () => {
    const params = {
      a: '__CHANNEL__:7',
      text: '__CHANNEL__:07',
      large: '__CHANNEL__:4294967296',
      negative: '__CHANNEL__:-1',
    }
    // Another id, no number, no argument, an inherited member, another text, beyond 32 bits, negative.
    const wrong: object[] = [
      { a: 8 },
      { a: '7' },
      { b: 7 },
      { toString: 7 },
      { text: 7 },
      { large: 2 ** 32 },
      { negative: -1 },
    ]
    return rows<unknown>([null, [['a']], ...wrong])(channels =>
      expect(refusal({ ...good, params, channels })).toBe(
        'Invalid Request: `channels` of "greet" must be the ids of at most 16384 channels and streams among the arguments',
      ),
    )
  })

  it('escapes and truncates the name of the method', () => {
    const text = refusal({ ...good, method: `a\n\u001b[31m"${'x'.repeat(2 ** 20)}`, params: 1 })
    expect(text).toContain('"a\\n\\u001b[31m\\"xxx')
    expect(text.length).toBeLessThan(200)
  })
})

describe('isResponse', () => {
  it('is true for a result or an error with an id', () =>
    rows({
      'a result': { jsonrpc: '2.0', id: 1, result: 1 },
      'a null result': { jsonrpc: '2.0', id: 'a', result: null },
      'an undefined result': { jsonrpc: '2.0', id: 1, result: undefined },
      'an error': { jsonrpc: '2.0', id: 1, error: { code: -32000, message: '' } },
      'an error without a call': { jsonrpc: '2.0', id: null, error: { code: 1, message: 'x', data: 0 } },
    })(message => expect(isResponse(message)).toBe(true)))

  it('is false for anything else', () =>
    rows({
      'a request': good,
      null: null,
      'an array': [{ jsonrpc: '2.0', id: 1, result: 1 }],
      'another version': { jsonrpc: '1.0', id: 1, result: 1 },
      'a result with the id null': { jsonrpc: '2.0', id: null, result: 1 },
      'a result without id': { jsonrpc: '2.0', result: 1 },
      'a result of a fraction': { jsonrpc: '2.0', id: 1.5, result: 1 },
      'an error without id': { jsonrpc: '2.0', error: { code: 1, message: '' } },
      'an error that is a string': { jsonrpc: '2.0', id: 1, error: 'x' },
      'an error that is null': { jsonrpc: '2.0', id: 1, error: null },
      'an error without code': { jsonrpc: '2.0', id: 1, error: { message: '' } },
      'an error without message': { jsonrpc: '2.0', id: 1, error: { code: 1 } },
      neither: { jsonrpc: '2.0', id: 1 },
    })(message => expect(isResponse(message)).toBe(false)))
})

describe('ids', () => {
  it('a string or a safe integer is valid', () =>
    rows([0, -1, 1, 'a', '', Number.MAX_SAFE_INTEGER])(id => expect(isRequestId(id)).toBe(true)))

  it('anything else is invalid', () =>
    rows([null, undefined, 1.5, 2 ** 53, Number.NaN, {}, [[]], true, 1n])(id => expect(isRequestId(id)).toBe(false)))

  it('the error has the id of the message, if it is valid', () =>
    rows([
      [{ id: 7 }, 7],
      [{ id: 'x', method: 3 }, 'x'],
      [{ id: 1.5 }, null],
      [{ id: null }, null],
      [{}, null],
      [null, null],
      ['x', null],
      [[{ id: 7 }], null],
    ])((message, id) => expect(getRequestId(message)).toBe(id)))
})

describe('bytes', () => {
  it('tells a Uint8Array from anything else', () =>
    rows([
      ['a Uint8Array', new Uint8Array(1), true],
      ['a Buffer', Buffer.alloc(1), true],
      ['an ArrayBuffer', new ArrayBuffer(1), true],
      ['another view', new Uint16Array(1), false],
      ['a DataView', new DataView(new ArrayBuffer(1)), false],
      ['shared memory', new SharedArrayBuffer(1), false],
      ['an array', [1], false],
      ['null', null, false],
    ])((_name, value, is) => {
      expect(isBytes(value)).toBe(is)
      expect(holdsBytes(value)).toBe(is)
      expect(holdsBytes({ a: 1, value })).toBe(is)
      expect(holdsBytes({ deeper: { value } })).toBe(false)
      expect(holdsBytes([value])).toBe(false)
    }))
})

describe('names in error texts', () => {
  it('are quoted, escaped, and truncated after 80 characters', () => {
    expect(describeName('greet')).toBe('"greet"')
    expect(describeName('a"\n\u0000')).toBe('"a\\"\\n\\u0000"')
    expect(describeName('x'.repeat(80))).toBe(`"${'x'.repeat(80)}"`)
    expect(describeName('x'.repeat(81))).toBe(`"${'x'.repeat(80)}…"`)
    expect(describeName(`${'x'.repeat(79)}😀y`)).toBe(`"${'x'.repeat(79)}\\ud83d…"`)
    expect(describeCommand('plugin:fs|read')).toBe('command "plugin:fs|read"')
  })
})

// Trace context by W3C's recommendation; a malformed one is removed.

const ids = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331'
const traceparent = `00-${ids}-01`

const parseHeaders = (headers: Record<string, string>): unknown =>
  parseCall({ jsonrpc: '2.0', id: 1, method: 'greet', headers }).headers

it('keeps a valid traceparent', () =>
  rows([traceparent, `00-${ids}-00`, `01-${ids}-ff`, `fe-${ids}-00`])(valid =>
    expect(parseHeaders({ traceparent: valid })).toEqual({ traceparent: valid }),
  ))

it('drops an invalid traceparent', () =>
  rows({
    'no version': ids,
    'version ff': `ff-${ids}-01`,
    'a trace id of zeros': `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    'a parent id of zeros': `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    capitals: traceparent.toUpperCase(),
    'a space before': ` ${traceparent}`,
    'a line after': `${traceparent}\n`,
    more: `${traceparent}-00`,
    'a digit of another alphabet': `00-${ids}-0١`,
    'a flood': '0'.repeat(1_000_000),
  })(invalid =>
    expect(parseHeaders({ traceparent: invalid, tracestate: 'k=v', other: 'kept' })).toEqual({ other: 'kept' }),
  ))

it('keeps as much of a tracestate as is valid', () =>
  rows([
    ['k=v', 'k=v'],
    ['k=v,other@vendor=1', 'k=v,other@vendor=1'],
    ['x'.repeat(512), 'x'.repeat(512)],
    ['x'.repeat(513), undefined],
    ['', undefined],
    ['k=\u0000', undefined],
    ['k=v\r\nother: 1', undefined],
  ])((tracestate, left) =>
    expect(parseHeaders({ traceparent, tracestate })).toEqual({
      traceparent,
      ...(left !== undefined && { tracestate: left }),
    }),
  ))

it('replaces a trace context in a copy of the headers', () => {
  const headers = { traceparent: 'old', tracestate: 'old', other: 'kept' }
  const message = { headers }
  addTraceContext(message, { traceparent })
  expect(message.headers).toEqual({ traceparent, other: 'kept' })
  expect(headers.traceparent).toBe('old')
  addTraceContext(message, {})
  expect(message.headers).toEqual({ traceparent, other: 'kept' })
})
