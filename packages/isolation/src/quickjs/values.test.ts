// Values cross as text, and are what they were before.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { forged } from '../../test/forged.js'
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

test('values arrive as they were', () =>
  rows([
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
  ])((_name, value) => expect(cross(value)).toStrictEqual(value)))

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

test('instances arrive as what the codec knows them by', () =>
  rows([true, false])(isJson => {
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
  }))

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

test('a promise that has crossed rejects: what awaits it ends', async () => {
  await expect(cross(Promise.resolve(1))).rejects.toThrow('is an `await` missing?')
})

test('a value that contains itself is refused', () => {
  const value: Record<string, unknown> = {}
  value['self'] = value
  expect(() => cross(value)).toThrow('nested too deeply, or contains itself')
})

/** Calls back with each value that can be reached by own members. */
function visit(value: unknown, found: (value: unknown) => void): void {
  found(value)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return
  if (value instanceof Map || value instanceof Set) for (const item of [...value].flat()) visit(item, found)
  for (const key of Object.keys(value)) visit((value as Record<string, unknown>)[key], found)
}

test('whatever a message has, no value of it has a function of the host, is a thenable, or has the bytes of another', () => {
  const decoded = fc.property(forged, message => {
    const bytes = [new Uint8Array(8), new Uint8Array(16)]
    const views = new Set<unknown>()
    let value: unknown
    try {
      value = decodeValue(JSON.stringify(message), createHooks(false), bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(Error)
      return
    }
    visit(value, each => {
      if (typeof each === 'function') expect(String(each)).not.toContain('[native code]')
      if (typeof each !== 'object' || each === null) return
      if (ArrayBuffer.isView(each) || each instanceof ArrayBuffer) expect(views.size).toBe(views.add(each).size - 1)
      if (!(each instanceof Promise)) expect((each as { then?: unknown }).then).not.toBeTypeOf('function')
    })
    expect(views.size).toBeLessThanOrEqual(2)
  })
  fc.assert(decoded, { numRuns: 5000 })
})

test('malformed text throws', () =>
  rows(['[', '{"$":"bytes","i":9,"v":"Int8Array"}', '{"$":"map","v":1}', '{"$":"bigint","v":"x"}'])(text =>
    expect(() => decodeValue(text, createHooks(false), [])).toThrow(),
  ))
