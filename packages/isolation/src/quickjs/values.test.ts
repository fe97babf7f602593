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
  ['a regular expression and an error', [/a\/b/gu, new Error('no', { cause: { at: new Date(1) } })]],
  ['bytes', [new Uint8Array([1, 2]), new Float64Array([0.5]), new ArrayBuffer(3), new DataView(new ArrayBuffer(2))]],
  ['keys of a tag', { $: 'date', v: 1, list: [{ $: 5 }] }],
])('%s', (_name, value) => expect(cross(value)).toStrictEqual(value))

test('JSON decides with toJSON', () => {
  expect(cross({ at: new Date(0), own: { toJSON: () => [1] } }, true)).toEqual({
    at: '1970-01-01T00:00:00.000Z',
    own: [1],
  })
})

test('over MessagePack, toJSON of an instance decides, and that of a plain object is a function', () => {
  class Place {
    toJSON = () => 'here'
  }
  expect(cross([new Place(), { toJSON: 1 }])).toEqual(['here', { toJSON: 1 }])
  expect(cross({ toJSON: () => 1 })).toEqual({ toJSON: expect.any(Function) as unknown })
})

test.each([true, false])('instances arrive as what the codec knows them by: JSON %s', isJson => {
  const crossed = cross(
    [new Map([[1, 2]]), new Set([1]), /a/, new RangeError('no'), new Map().keys()],
    isJson,
  ) as object[]
  const [map, set, expression, error, iterator] = crossed
  expect([map, set, expression]).toEqual([new Map([[1, 2]]), new Set([1]), /a/])
  expect(error).toMatchObject({ name: 'RangeError', message: 'no' })
  expect(Object.keys(error!)).toEqual([])
  expect(iterator).toHaveProperty('next')
  expect(Object.keys(iterator!)).toEqual([])
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
