import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { SERIALIZE_TO_IPC_FN, serializePayload } from './convert.js'

/** Tauri's own function, of crates/tauri/scripts/process-ipc-message-fn.js, for what it takes for JSON. */
const tauris = (message: unknown): string =>
  JSON.stringify(message, (_key, value: any) => {
    if (value instanceof Map) return Object.fromEntries(value.entries())
    if (value instanceof Uint8Array) return Array.from(value)
    if (value instanceof ArrayBuffer) return Array.from(new Uint8Array(value))
    if (typeof value === 'object' && value !== null && SERIALIZE_TO_IPC_FN in value) return value[SERIALIZE_TO_IPC_FN]()
    return value
  })

const leaf = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(undefined, -0, 1.5, new Date(0), Object(1), Object('a')),
  fc.uint8Array().map(bytes => (bytes.length % 2 ? bytes : bytes.buffer)),
  fc.constantFrom(new URL('http://a/'), Array(2)),
  fc.string().map(text => ({ [SERIALIZE_TO_IPC_FN]: () => ({ text }) })),
)
const value = fc.letrec(tie => ({
  node: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie('node'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,3}$/), tie('node')), { maxLength: 3 }).map(pairs => new Map(pairs)),
  ),
})).node
const named = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), value, { maxKeys: 4, noNullPrototype: true })

describe('named arguments', () => {
  test('are equal to those that Tauri serializes, with any codec', () => {
    fc.assert(
      fc.property(named, args => {
        const serialized = serializePayload(args)
        expect(serialized).toEqual(JSON.parse(tauris(args)))
        // No codec changes it further: it is plain JSON, and nothing of it is left out.
        expect(serialized).toStrictEqual(JSON.parse(JSON.stringify(serialized)))
      }),
    )
  })

  test('are passed unchanged when there is nothing to replace', () => {
    const args = { a: 1, list: [1, 'a', null, { b: [true] }], bare: Object.assign(Object.create(null), { c: '' }) }
    expect(serializePayload(args)).toBe(args)
    const deep = { a: args }
    expect(serializePayload({ deep, none: undefined })).toEqual({ deep })
    expect((serializePayload({ deep, none: undefined }) as typeof args & { deep: unknown }).deep).toBe(deep)
  })

  test('are undefined, or a plain value, when they are not an object', () => {
    expect(serializePayload(undefined)).toBeUndefined()
    expect(serializePayload(null)).toBeNull()
    expect(serializePayload('text')).toBe('text')
    expect(serializePayload(new Map([['a', 1]]))).toEqual({ a: 1 })
    expect(() => serializePayload(Promise.resolve(1))).toThrow('await it first')
    expect(() => serializePayload({ done: () => 1 })).toThrow('done is a function')
    expect(() => serializePayload({ n: Number.NaN })).toThrow(/pass null or a string$/)
  })

  test('are refused with a TypeError', () =>
    rows({
      'a BigInt': { a: 1n },
      'a BigInt deeper down': { a: [{ b: 1n }] },
      'a cycle': Object.assign({ list: [] as unknown[] }, {}),
    })((args, what) => {
      if (what === 'a cycle') (args as { list: unknown[] }).list.push(args)
      expect(() => serializePayload(args)).toThrow(TypeError)
    }))

  test('are sent with the result of toJSON when a BigInt has one', () => {
    Object.defineProperty(BigInt.prototype, 'toJSON', { value: () => '1', configurable: true })
    try {
      expect(serializePayload({ a: 1n })).toEqual({ a: '1' })
    } finally {
      Reflect.deleteProperty(BigInt.prototype, 'toJSON')
    }
  })

  test('can be deeper than the bus allows', () => {
    let deep: object = {}
    for (let i = 0; i < 100; i++) deep = { deep }
    expect(serializePayload({ deep })).toEqual({ deep })
  })
})

describe('a raw body', () => {
  test('is sent for any kind of bytes', () =>
    rows({
      Uint8Array: new Uint8Array([1, 2]),
      'part of one': new Uint8Array([0, 1, 2, 3]).subarray(1, 3),
      ArrayBuffer: new Uint8Array([1, 2]).buffer,
      DataView: new DataView(new Uint8Array([0, 1, 2]).buffer, 1),
      Uint16Array: new Uint16Array([0x0201]),
      'list of numbers': [1, 2],
    })(payload => {
      const bytes = serializePayload(payload) as Uint8Array
      expect(bytes).toBeInstanceOf(Uint8Array)
      expect([...bytes]).toEqual([1, 2])
    }))

  test('is not sent for a list of anything else', () =>
    rows([[[256]], [[-1]], [[1.5]], [['1']], [[null]], [[undefined]], [[[1]]]])(list =>
      expect(() => serializePayload(list)).toThrow(
        new TypeError('An array as all arguments is sent as bytes: its element 0 is not a byte'),
      ),
    ))
})

test('values are converted as in Tauri before JSON refuses others', () => {
  const converted = { map: { a: 1 }, bytes: [1] }
  expect(serializePayload({ map: new Map([['a', 1]]), bytes: new Uint8Array([1]) })).toEqual(converted)
  expect(() => serializePayload({ map: new Map([['a', new Set()]]) })).toThrow(
    'map.a is a value of type Set, which JSON cannot represent: pass an array',
  )
})

test('a refusal names no codec, because Tauri sends JSON under each', () =>
  rows([
    [{ set: new Set() }, 'set is a value of type Set, which JSON cannot represent: pass an array'],
    [
      { bytes: Buffer.from([1]) },
      'bytes is a value of type Buffer, which JSON cannot represent: pass a Uint8Array of its bytes',
    ],
    [
      { floats: new Float32Array(1) },
      'floats is a value of type Float32Array, which JSON cannot represent: pass a Uint8Array of its bytes',
    ],
  ])((args, message) => expect(() => serializePayload(args)).toThrow(new TypeError(message))))

describe('a long array of bytes', () => {
  const array = (length = 65_537): number[] => Array.from({ length }, (_, i) => i % 256)

  test('is sent as bytes, as an argument and in one', () => {
    const inner = { url: 'http://a/', data: array() }
    const args = { n: 1, data: array(1_500_000), inner }
    const sent = serializePayload(args) as { n: number; data: Uint8Array; inner: { url: string; data: Uint8Array } }
    expect([sent.data, sent.inner.data].map(each => [each instanceof Uint8Array, each.length])).toEqual([
      [true, 1_500_000],
      [true, 65_537],
    ])
    expect([sent.n, sent.inner.url, sent.data[1000], sent.inner.data[300]]).toEqual([1, 'http://a/', 1000 % 256, 44])
    expect([args.data, inner.data].every(Array.isArray)).toBe(true)
  })

  test('is sent as bytes when it was a Uint8Array, as arrays of Tauri are', () => {
    const sent = serializePayload({ data: new Uint8Array(70_000).fill(7) }) as { data: Uint8Array }
    expect(sent.data).toEqual(new Uint8Array(70_000).fill(7))
  })

  test('stays an array if it is too long, too deep or not of bytes', () =>
    rows({
      'of 65,536 values': { data: array(65_536) },
      'two objects down': { a: { b: { data: array() } } },
      'in an array': { list: [array()] },
      'with -1': { data: [...array(), -1] },
      'with 256': { data: [...array(), 256] },
      'with 0.5': { data: [...array(), 0.5] },
      'with null': { data: [...array(), null] },
      'with a string': { data: [...array(), '1'] },
    })(args => expect(serializePayload(args)).toBe(args)))
})
