// What is a trace context, by W3C's recommendation, and what is taken away because it is none.
import { expect, it } from 'vitest'
import { parseCall } from './message.js'
import { addTraceContext } from './trace-context.js'

const ids = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331'
const traceparent = `00-${ids}-01`

const headersOf = (headers: Record<string, string>): unknown =>
  parseCall({ jsonrpc: '2.0', id: 1, method: 'greet', headers }).headers

it.each([traceparent, `00-${ids}-00`, `01-${ids}-ff`, `fe-${ids}-00`])('keeps %s', given => {
  expect(headersOf({ traceparent: given })).toEqual({ traceparent: given })
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
])('drops a traceparent with %s', (_what, given) => {
  expect(headersOf({ traceparent: given, tracestate: 'k=v', other: 'kept' })).toEqual({ other: 'kept' })
})

it.each([
  ['k=v', 'k=v'],
  ['k=v,other@vendor=1', 'k=v,other@vendor=1'],
  ['x'.repeat(512), 'x'.repeat(512)],
  ['x'.repeat(513), undefined],
  ['', undefined],
  ['k=\u0000', undefined],
  ['k=v\r\nother: 1', undefined],
])('of the state %j leaves %j', (tracestate, left) => {
  expect(headersOf({ traceparent, tracestate })).toEqual({
    traceparent,
    ...(left !== undefined && { tracestate: left }),
  })
})

it('puts one in place of another, in a copy', () => {
  const headers = { traceparent: 'old', tracestate: 'old', other: 'kept' }
  const message = { headers }
  addTraceContext(message, { traceparent })
  expect(message.headers).toEqual({ traceparent, other: 'kept' })
  expect(headers.traceparent).toBe('old')
  addTraceContext(message, {})
  expect(message.headers).toEqual({ traceparent, other: 'kept' })
})
