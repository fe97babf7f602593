// The MessagePack codec from message to bytes and back: round trips, refusals on both sides, and memory that is not shared with
// frames.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { expectSame, msgpackScalar } from '../../test/msgpack-values.js'
import { MAX_FRAME_BYTES } from '../wire/limits.js'
import { stringifyJson } from './json-checks.js'
import { whyNotSerializable } from '../errors/command-error.js'
import { encodeInline, msgpackCodec } from './msgpack.js'

const encode = (value: unknown): Uint8Array => encodeInline({ jsonrpc: '2.0', id: 1, result: value })
const decode = (body: Uint8Array): unknown => msgpackCodec.decode(body)
const roundTrip = (value: unknown): unknown => (decode(encode(value)) as { result: unknown }).result

// Excludes values that change on the way, as the table of docs/guide/commands.md says: -0 and lone surrogates.
const text = fc.string({ unit: 'binary' })
const carried = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 5 },
    msgpackScalar(text),
    fc.array(tie('value')),
    fc.dictionary(
      text.filter(key => key !== '__proto__'),
      tie('value'),
      { noNullPrototype: true },
    ),
  ),
})).value

describe('a round trip', () => {
  it('preserves any value', () => {
    fc.assert(
      fc.property(carried, value => {
        expectSame(roundTrip(value), value)
      }),
      { numRuns: 500 },
    )
  })

  it('preserves each kind of message', () =>
    rows([
      { jsonrpc: '2.0', id: 1, method: 'm' },
      { jsonrpc: '2.0', method: 'm', params: {} },
      { jsonrpc: '2.0', id: 'a', method: 'm', params: { a: 1 }, headers: { h: 'x' } },
      { jsonrpc: '2.0', id: 1, method: 'm', params: new Uint8Array([1, 2]) },
      { jsonrpc: '2.0', id: 1, result: null },
      { jsonrpc: '2.0', id: 1, result: undefined },
      { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'x', data: [1] } },
    ])(message => expect(decode(msgpackCodec.encode(message) as Uint8Array)).toStrictEqual(message)))

  it('preserves strings and bytes of any length', () =>
    rows([31, 32, 255, 256, 65_535, 65_536, 300_000])(length => {
      for (const value of ['x'.repeat(length), 'é'.repeat(length), new Uint8Array(length).fill(7)]) {
        expect(roundTrip(value)).toStrictEqual(value)
      }
    }))

  it('preserves an array of any length', () =>
    rows([15, 16, 65_535, 65_536, 70_000])(length => {
      const array = Array.from({ length }, (_, i) => i)
      expect(roundTrip(array)).toStrictEqual(array)
    }))

  it('preserves the bytes as they were when the message was encoded', () => {
    const bytes = new Uint8Array([1])
    const body = encode({ bytes })
    bytes[0] = 2
    expect(decode(body)).toMatchObject({ result: { bytes: new Uint8Array([1]) } })
  })

  it('keeps consecutive messages apart', () => {
    fc.assert(
      fc.property(fc.array(carried, { maxLength: 30 }), values => {
        const bodies = values.map(value => encode(value))
        expectSame(
          bodies.map(body => (decode(body) as { result: unknown }).result),
          values,
        )
      }),
    )
  })
})

describe('a decoded value', () => {
  it('consists of plain objects and arrays', () => {
    const read = roundTrip({ a: [{ b: 1 }], c: Object.create(null) as object }) as { a: object[]; c: object }
    for (const object of [read, read.a[0]!, read.c]) expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
    expect(Array.isArray(read.a)).toBe(true)
  })

  it('has copies of the bytes that are neither Buffers nor parts of the frame', () => {
    const body = Buffer.from(encode({ a: Buffer.from([1, 2, 3]), b: new Uint8Array([4]).buffer }))
    const { a, b } = (decode(body) as { result: { a: Uint8Array; b: Uint8Array } }).result
    body.fill(0xff)
    expect([a, b]).toStrictEqual([new Uint8Array([1, 2, 3]), new Uint8Array([4])])
    expect([a.constructor, a.buffer.byteLength, b.buffer.byteLength]).toEqual([Uint8Array, 3, 1])
  })

  it('is read from the middle of a buffer', () => {
    const body = encode({ a: 'text', b: new Uint8Array([1]) })
    const large = Buffer.alloc(body.length + 20, 0xc1)
    large.set(body, 7)
    const expected = { jsonrpc: '2.0', id: 1, result: { a: 'text', b: new Uint8Array([1]) } }
    expect(decode(large.subarray(7, 7 + body.length))).toStrictEqual(expected)
    expect(decode(new Uint8Array(large.buffer, large.byteOffset + 7, body.length))).toStrictEqual(expected)
  })
})

describe('join', () => {
  it('makes one body of messages and keeps their order', () =>
    rows([1, 2, 15, 16, 4096, 65_536])(count => {
      const messages = Array.from({ length: count }, (_, id) => ({ jsonrpc: '2.0' as const, id, result: id }))
      const body = msgpackCodec.join(messages.map(message => msgpackCodec.encode(message) as Uint8Array)) as Uint8Array
      expect(decode(body)).toStrictEqual(count === 1 ? messages[0] : messages)
    }))
})

describe('encode refuses', () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  let deep: unknown = 1
  for (let i = 0; i < 64; i++) deep = [deep]
  const refused: [string, unknown, string | RegExp][] = [
    ['a BigInt over 64 bits', 2n ** 64n, 'too large to fit'],
    ['a BigInt under 64 bits', -(2n ** 63n) - 1n, 'too large to fit'],
    ['a cycle', cycle, 'nested deeper than 64'],
    [
      'an object of 65 536 keys',
      Object.fromEntries(Array.from({ length: 65_536 }, (_, i) => [`k${i}`, 1])),
      'too large',
    ],
    ['depth over 64', deep, 'nested deeper than 64'],
    ['a million values', Array.from({ length: 1e6 }, () => 0), 'more than 1000000 values'],
  ]

  it('refuses what it cannot represent at any place in a value, and encodes the next value', () =>
    rows(refused)((_name, value, why) => {
      const first = encode({ before: 1 })
      for (const place of [value, { a: [value] }]) expect(() => encode(place)).toThrow(why)
      expect(roundTrip({ after: 2 })).toEqual({ after: 2 })
      expect(decode(first)).toMatchObject({ result: { before: 1 } })
    }))

  it('a view that is not of bytes, within a class or the result of toJSON', () => {
    class Holder {
      view = new Float64Array(1)
    }
    const json = { toJSON: () => new Float64Array(1) }
    for (const value of [new Holder(), Object.assign(new URL('a:b'), json)]) {
      expect(() => encode({ value })).toThrow('is a value of type Float64Array')
    }
  })
})

describe('decode throws a ParseError', () => {
  const parseError = expect.objectContaining({ reason: 'ParseError', message: expect.stringMatching(/^Parse error: /) })

  it('when a frame is cut short or too long', () => {
    const body = encode({ a: ['text', 1.5, new Uint8Array(3)], b: { c: new Date(1) } })
    for (let length = 0; length < body.length; length++) {
      expect(() => decode(body.subarray(0, length))).toThrow(parseError)
    }
    expect(() => decode(Buffer.concat([body, Buffer.from([0xc0])]))).toThrow('bytes are left after the value')
  })

  it('when a frame has over 16 MiB, before it is read', () => {
    const body = new Uint8Array(MAX_FRAME_BYTES + 1)
    expect(() => decode(body)).toThrow('Parse error: a frame of 16777217 bytes is over the limit')
    const fits = Buffer.alloc(MAX_FRAME_BYTES)
    fits[0] = 0xc6
    fits.writeUInt32BE(MAX_FRAME_BYTES - 5, 1)
    expect(decode(fits)).toHaveLength(MAX_FRAME_BYTES - 5)
  })

  it('without any effect on the next frame', () => {
    for (const wrong of [[0xc1], [0x81, 0x90, 1], [0xd4, 0x73, 0], [0xdd, 255, 255, 255, 255], []]) {
      expect(() => decode(Uint8Array.from(wrong))).toThrow(parseError)
      expect(roundTrip({ a: 1 })).toEqual({ a: 1 })
    }
  })
})

const around = (): unknown => {
  const cycle: unknown[] = []
  return cycle[cycle.push(cycle) - 1]
}

/** Returns the texts for callers, of JSON and of MessagePack. */
const getRefusals = (value: unknown): string[] =>
  [stringifyJson, encode].map(write => {
    try {
      write(value)
    } catch (error) {
      return whyNotSerializable(error, value)
    }
    return 'not refused'
  })

it('what would not arrive as it is, is refused by both codecs with its path and a remedy', () =>
  rows<[create: () => unknown, what: string, remedy: string]>([
    [() => new Map([[{}, 1]]), 'a value of type Map', 'pass Object.fromEntries(map)'],
    [() => new Set([1]), 'a value of type Set', 'pass an array'],
    [() => /a+/gi, 'a value of type RegExp', 'pass its source'],
    [() => new TypeError('no', { cause: 1 }), 'a value of type Error', 'pass its message'],
    [() => () => 1, 'a function', 'pass a Channel, or expose it'],
    [() => Symbol('x'), 'a symbol', 'pass its description'],
    [() => new Map().keys(), 'a value of type Iterator', 'pass an array'],
    [() => new Float32Array([1.5]), 'a value of type Float32Array', 'pass a Uint8Array of its bytes'],
    [() => new Int16Array(0), 'a value of type Int16Array', 'pass a Uint8Array of its bytes'],
    [() => new DataView(new ArrayBuffer(2)), 'a value of type DataView', 'pass a Uint8Array of its bytes'],
    [() => new SharedArrayBuffer(2), 'a value of type SharedArrayBuffer', 'pass a Uint8Array of its bytes'],
    [() => new URLSearchParams('a=1'), 'a value of type URLSearchParams', 'pass its toString()'],
    [() => new Headers(), 'a value of type Headers', 'pass Object.fromEntries(it)'],
    [() => new FormData(), 'a value of type FormData', 'pass Object.fromEntries(it)'],
    [() => new Request('http://a/b'), 'a value of type Request', 'pass what its text()'],
    [() => new Response('x'), 'a value of type Response', 'pass what its text()'],
    [() => new DOMException('no'), 'a value of type DOMException', 'pass its message'],
    [() => new WeakMap(), 'a value of type WeakMap', 'pass what it holds'],
    [() => new WeakSet(), 'a value of type WeakSet', 'pass what it holds'],
    [() => new WeakRef({}), 'a value of type WeakRef', 'pass what it holds'],
    [() => Object(Symbol('s')) as unknown, 'a value of type Symbol', 'pass its description'],
    [() => Promise.resolve(1), 'a value of type Promise', 'await it first'],
    [() => AbortSignal.abort(), 'a value of type AbortSignal', 'pass it as the option `signal`'],
    [async function* () {}, 'a value of type AsyncIterable', 'send its values on a Channel'],
    [() => ({ async *[Symbol.asyncIterator]() {} }), 'a value of type AsyncIterable', 'send its values on a Channel'],
  ])((create, what, remedy) => {
    const value = { a: [{ b: create() }] }
    for (const refusal of getRefusals(value)) {
      expect(refusal).toContain(`a[0].b is ${what}, which `)
      expect(refusal).toContain(`cannot represent: ${remedy}`)
    }
  }))

it('a cycle is named by the place that closes it, under each codec', () => {
  const refusal = 'a[0][0] makes it a circular structure, which no codec can represent'
  expect(getRefusals({ a: [around(), { b: around() }] })).toEqual([refusal, refusal])
})

it('a BigInt is refused with its path, and MessagePack recommended only for 64 bits', () =>
  rows([
    [2n ** 64n, 'pass a string'],
    [-(2n ** 63n) - 1n, 'pass a string'],
    [2n ** 64n - 1n, "pass a string, or choose codec: 'msgpack'"],
    [-(2n ** 63n), "pass a string, or choose codec: 'msgpack'"],
  ])((big, remedy) => {
    const [json, msgpack] = getRefusals({ a: [0, big] })
    expect(json).toBe(`a[1] is a BigInt, which JSON cannot represent: ${remedy}`)
    const tooLarge = 'a[1] is a BigInt that is too large to fit into 64 bits: pass a string'
    expect(msgpack).toBe(remedy === 'pass a string' ? tooLarge : 'not refused')
  }))

it('a refused key, and an object of too many members, have their path', () => {
  const withProto: unknown = JSON.parse('{"a":[{"__proto__":1}]}')
  expect(getRefusals(withProto)[1]).toBe('a[0]: a key named "__proto__" is refused')
  expect(getRefusals({ a: Object.assign({}, Array(65_536).fill(0)) })[1]).toBe(
    'a is an object of 65536 members, which is too large',
  )
})

it('what a toJSON returned is refused without a path', () => {
  const json = Object.assign(new URL('a:b'), { toJSON: () => [new Map()] })
  expect(getRefusals({ json })[1]).toMatch(/^a value in it is a value of type Map/)
})
