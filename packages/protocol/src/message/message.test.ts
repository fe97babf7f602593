// The checks of JSON-RPC messages. An error names the malformed member, and quotes, escapes and truncates untrusted names.
import { describe, expect, it } from 'vitest'
import { BusError, describeCommand, describeName } from '../errors/bus-error.js'
import { addTraceContext, holdsBytes, getRequestId, isBytes, isRequestId, isResponse, parseCall } from './message.js'

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
  it.each([
    ['a request', good],
    ['a notification', { jsonrpc: '2.0', method: 'emit' }],
    ['a string id', { ...good, id: 'a' }],
    ['an empty string id', { ...good, id: '' }],
    ['the id 0', { ...good, id: 0 }],
    ['a negative id', { ...good, id: -1 }],
    ['the largest id', { ...good, id: Number.MAX_SAFE_INTEGER }],
    ['bytes as params', { ...good, params: new Uint8Array(2) }],
    ['a buffer as params', { ...good, params: new ArrayBuffer(2) }],
    ['no params', { jsonrpc: '2.0', id: 1, method: 'greet' }],
    ['empty params', { ...good, params: {} }],
    ['headers', { ...good, headers: { authorization: 'x' } }],
    ['no header', { ...good, headers: {} }],
    [
      'channels',
      { ...good, params: { a: '__CHANNEL__:0', b: '__CHANNEL__:4294967295' }, channels: { a: 0, b: 2 ** 32 - 1 } },
    ],
    ['one channel twice', { ...good, params: { a: '__CHANNEL__:7', b: '__CHANNEL__:7' }, channels: { a: 7, b: 7 } }],
    ['no channel', { ...good, channels: {} }],
    ['an unknown member', { ...good, extra: 1 }],
  ])('returns the same object for %s', (_name, message) => expect(parseCall(message)).toBe(message))

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'greet'],
    ['a number', 1],
    ['a boolean', true],
    ['an array', [good]],
    ['an empty array', []],
    ['bytes', new Uint8Array(3)],
    ['a date', new Date()],
  ])('rejects %s as a message', (_name, message) => expect(refusal(message)).toContain('a message must be an object'))

  it.each([
    ['null', null],
    ['an array', ['a']],
    ['of another id than the argument', { a: 8 }],
    ['not numbers', { a: '7' }],
    ['of no argument', { b: 7 }],
    ['of an inherited member', { toString: 7 }],
    ['of an argument with another text', { text: 7 }],
    ['beyond 32 bits', { large: 2 ** 32 }],
    ['negative', { negative: -1 }],
  ])('rejects `channels` that are %s', (_name, channels) => {
    const params = {
      a: '__CHANNEL__:7',
      text: '__CHANNEL__:07',
      large: '__CHANNEL__:4294967296',
      negative: '__CHANNEL__:-1',
    }
    expect(refusal({ ...good, params, channels })).toBe(
      'Invalid Request: `channels` of "greet" must be the ids of at most 16384 channels and streams among the arguments',
    )
  })

  it.each([undefined, new Uint8Array(2)])('rejects `channels` without named arguments', params => {
    expect(refusal({ ...good, params, channels: {} })).toContain('`channels`')
  })

  it.each([
    ['missing', {}],
    ['1.0', { jsonrpc: '1.0' }],
    ['a number', { jsonrpc: 2 }],
    ['null', { jsonrpc: null }],
    ['an array that reads the same', { jsonrpc: ['2.0'] }],
  ])('rejects `jsonrpc` that is %s', (_name, wrong) => {
    expect(refusal({ id: 1, method: 'greet', ...wrong })).toBe('Invalid Request: `jsonrpc` must be "2.0"')
  })

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['null', null],
    ['a number', 1],
    ['an array', ['greet']],
    ['an object', {}],
  ])('rejects `method` that is %s', (_name, method) => {
    expect(refusal({ ...good, method })).toBe('Invalid Request: `method` must be a non-empty string')
  })

  it.each([null, true, 1.5, 2 ** 53, -(2 ** 53), Number.NaN, Infinity, [1], {}, 10n, new Uint8Array(1)])(
    'refuses the id %s',
    id => expect(refusal({ ...good, id })).toBe('Invalid Request: `id` must be a string or a safe integer'),
  )

  it.each([
    ['null', null],
    ['an array', [1, 2]],
    ['a string', 'x'],
    ['a number', 0],
    ['a boolean', false],
    ['a BigInt', 1n],
    ['a date', new Date()],
    ['a view that is not of bytes', new Float64Array(1)],
  ])('rejects `params` that are %s', (_name, params) => {
    expect(refusal({ ...good, params })).toBe(
      'Invalid Request: `params` of "greet" must be an object of named arguments, or bytes',
    )
  })

  it.each([
    ['null', null],
    ['an array', []],
    ['a string', 'x'],
    ['a date', new Date()],
    ['bytes', new Uint8Array(1)],
    ['a number in it', { a: 'x', b: 1 }],
    ['a null in it', { a: null }],
    ['an array in it', { a: ['x'] }],
  ])('rejects `headers` that are %s', (_name, headers) => {
    expect(refusal({ ...good, headers })).toBe('Invalid Request: `headers` of "greet" must be an object of strings')
  })

  it('escapes and truncates the name of the method', () => {
    const text = refusal({ ...good, method: `a\n\u001b[31m"${'x'.repeat(2 ** 20)}`, params: 1 })
    expect(text).toContain('"a\\n\\u001b[31m\\"xxx')
    expect(text.length).toBeLessThan(200)
  })
})

describe('isResponse', () => {
  it.each([
    ['a result', { jsonrpc: '2.0', id: 1, result: 1 }],
    ['a null result', { jsonrpc: '2.0', id: 'a', result: null }],
    ['an undefined result', { jsonrpc: '2.0', id: 1, result: undefined }],
    ['an error', { jsonrpc: '2.0', id: 1, error: { code: -32000, message: '' } }],
    ['an error without a call', { jsonrpc: '2.0', id: null, error: { code: 1, message: 'x', data: 0 } }],
  ])('is true for %s', (_name, message) => expect(isResponse(message)).toBe(true))

  it.each([
    ['a request', good],
    ['null', null],
    ['an array', [{ jsonrpc: '2.0', id: 1, result: 1 }]],
    ['another version', { jsonrpc: '1.0', id: 1, result: 1 }],
    ['a result with the id null', { jsonrpc: '2.0', id: null, result: 1 }],
    ['a result without id', { jsonrpc: '2.0', result: 1 }],
    ['a result of a fraction', { jsonrpc: '2.0', id: 1.5, result: 1 }],
    ['an error without id', { jsonrpc: '2.0', error: { code: 1, message: '' } }],
    ['an error that is a string', { jsonrpc: '2.0', id: 1, error: 'x' }],
    ['an error that is null', { jsonrpc: '2.0', id: 1, error: null }],
    ['an error without code', { jsonrpc: '2.0', id: 1, error: { message: '' } }],
    ['an error without message', { jsonrpc: '2.0', id: 1, error: { code: 1 } }],
    ['neither', { jsonrpc: '2.0', id: 1 }],
  ])('is false for %s', (_name, message) => expect(isResponse(message)).toBe(false))
})

describe('ids', () => {
  it.each([0, -1, 1, 'a', '', Number.MAX_SAFE_INTEGER])('%j is valid', id => expect(isRequestId(id)).toBe(true))

  it.each([null, undefined, 1.5, 2 ** 53, Number.NaN, {}, [], true, 1n])('%s is invalid', id =>
    expect(isRequestId(id)).toBe(false),
  )

  it.each([
    [{ id: 7 }, 7],
    [{ id: 'x', method: 3 }, 'x'],
    [{ id: 1.5 }, null],
    [{ id: null }, null],
    [{}, null],
    [null, null],
    ['x', null],
    [[{ id: 7 }], null],
  ])('the error for %j has the id %j', (message, id) => expect(getRequestId(message)).toBe(id))
})

describe('bytes', () => {
  it.each([
    ['a Uint8Array', new Uint8Array(1), true],
    ['a Buffer', Buffer.alloc(1), true],
    ['an ArrayBuffer', new ArrayBuffer(1), true],
    ['another view', new Uint16Array(1), false],
    ['a DataView', new DataView(new ArrayBuffer(1)), false],
    ['shared memory', new SharedArrayBuffer(1), false],
    ['an array', [1], false],
    ['null', null, false],
  ])('%s: %s', (_name, value, is) => {
    expect(isBytes(value)).toBe(is)
    expect(holdsBytes(value)).toBe(is)
    expect(holdsBytes({ a: 1, value })).toBe(is)
    expect(holdsBytes({ deeper: { value } })).toBe(false)
    expect(holdsBytes([value])).toBe(false)
  })
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

it.each([traceparent, `00-${ids}-00`, `01-${ids}-ff`, `fe-${ids}-00`])('keeps the traceparent %s', valid => {
  expect(parseHeaders({ traceparent: valid })).toEqual({ traceparent: valid })
})

it.each([
  ['no version', ids],
  ['version ff', `ff-${ids}-01`],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
  ['a parent id of zeros', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
  ['capitals', traceparent.toUpperCase()],
  ['a space before', ` ${traceparent}`],
  ['a line after', `${traceparent}\n`],
  ['more', `${traceparent}-00`],
  ['a digit of another alphabet', `00-${ids}-0١`],
  ['a flood', '0'.repeat(1_000_000)],
])('drops a traceparent with %s', (_what, invalid) => {
  expect(parseHeaders({ traceparent: invalid, tracestate: 'k=v', other: 'kept' })).toEqual({ other: 'kept' })
})

it.each([
  ['k=v', 'k=v'],
  ['k=v,other@vendor=1', 'k=v,other@vendor=1'],
  ['x'.repeat(512), 'x'.repeat(512)],
  ['x'.repeat(513), undefined],
  ['', undefined],
  ['k=\u0000', undefined],
  ['k=v\r\nother: 1', undefined],
])('turns the tracestate %j into %j', (tracestate, left) => {
  expect(parseHeaders({ traceparent, tracestate })).toEqual({
    traceparent,
    ...(left !== undefined && { tracestate: left }),
  })
})

it('replaces a trace context in a copy of the headers', () => {
  const headers = { traceparent: 'old', tracestate: 'old', other: 'kept' }
  const message = { headers }
  addTraceContext(message, { traceparent })
  expect(message.headers).toEqual({ traceparent, other: 'kept' })
  expect(headers.traceparent).toBe('old')
  addTraceContext(message, {})
  expect(message.headers).toEqual({ traceparent, other: 'kept' })
})
