// Values cross as text, and are what they were before.
import { expect, test } from 'vitest'
import { decodeValue, encodeValue, type ValueHooks } from './values.js'

const createHooks = (isJson: boolean): ValueHooks => ({
  refer: value => ('send' in value ? { $: 'sender', id: 7 } : undefined),
  resolve: reference => reference,
  isJson: () => isJson,
})

function cross(value: unknown, isJson = false): unknown {
  const bytes: Uint8Array[] = []
  const hooks = createHooks(isJson)
  return decodeValue(encodeValue(value, hooks, bytes), hooks, bytes)
}

test.each([
  ['JSON', { a: [1, 'b', null, true, { c: 1.5 }] }],
  ['what JSON cannot represent', [undefined, Number.NaN, -0, Infinity, 10n ** 30n]],
  [
    'flat objects',
    [
      { a: 1, b: 'c', d: true, e: null, f: 0 },
      { a: -0 },
      { a: Number.NaN },
      { a: Infinity, b: 1 },
      { a: undefined },
      { a: 1n },
    ],
  ],
  ['objects of JavaScript', { date: new Date(5), map: new Map<unknown, unknown>([[{ a: 1 }, new Set([1n])]]) }],
  ['bytes', [new Uint8Array([1, 2]), new Float64Array([0.5]), new ArrayBuffer(3), new DataView(new ArrayBuffer(2))]],
  ['keys of a tag', { $: 'date', v: 1, list: [{ $: 5 }] }],
])('%s', (_name, value) => expect(cross(value)).toStrictEqual(value))

test('JSON decides with toJSON', () => {
  expect(cross({ at: new Date(0), own: { toJSON: () => [1] } }, true)).toEqual({
    at: '1970-01-01T00:00:00.000Z',
    own: [1],
  })
})

test('a key __proto__ is an own property, and no prototype', () => {
  const crossed = cross(JSON.parse('{"__proto__":{"a":1e999},"b":1}')) as object
  expect(Object.keys(crossed)).toEqual(['__proto__', 'b'])
  expect(Object.getPrototypeOf(crossed)).toBe(Object.prototype)
  expect('a' in crossed).toBe(false)
})

test('what stays on its side is a reference', () => {
  expect(cross({ channel: { send() {} } })).toEqual({ channel: { $: 'sender', id: 7 } })
})

test('functions, symbols and promises arrive as others that the codec refuses', () => {
  const crossed = cross([() => 1, Symbol('a'), Promise.resolve(1)]) as unknown[]
  expect(crossed.map(value => typeof value)).toEqual(['function', 'symbol', 'object'])
  expect(crossed[2]).toBeInstanceOf(Promise)
})

test('a value that contains itself is refused', () => {
  const value: Record<string, unknown> = {}
  value['self'] = value
  expect(() => cross(value)).toThrow('nested too deeply, or contains itself')
})

test.each(['[', '{"$":"bytes","i":9,"v":"Int8Array"}', '{"$":"map","v":1}', '{"$":"bigint","v":"x"}'])(
  'malformed text throws: %s',
  text => expect(() => decodeValue(text, createHooks(false), [])).toThrow(),
)
