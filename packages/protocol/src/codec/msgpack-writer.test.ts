// The writer of MessagePack, checked with msgpackr, an independent library that must read the same values.
// The output must be well formed whatever getters and proxies do while it is written.
import fc from 'fast-check'
import { Packr } from 'msgpackr/pack'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { expectSame, msgpackScalar } from '../../test/msgpack-values.js'
import type { Message } from '../wire/messages.js'
import { encodeInline, msgpackCodec } from './msgpack.js'

const packr = new Packr({ useRecords: false, mapsAsObjects: true, copyBuffers: true })
const readWithMsgpackr = (body: Uint8Array): unknown => packr.unpack(new Uint8Array(body))
const decode = (body: Uint8Array): unknown => msgpackCodec.decode(body)
const encodeMsgpackValue = (value: unknown): Uint8Array => msgpackCodec.encodeValue(value) as Uint8Array
const head = (value: unknown): number => encodeMsgpackValue(value)[0]!

// Excludes lone surrogates, which are replaced, and U+FEFF at the start, which msgpackr drops from long strings.
const text = fc
  .oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 10, maxLength: 400 }))
  .filter(value => !value.startsWith('\ufeff'))
const value = fc.letrec(tie => ({
  any: fc.oneof(
    { maxDepth: 6 },
    msgpackScalar(text),
    fc.array(tie('any'), { maxLength: 40 }),
    fc.dictionary(
      text.filter(key => key !== '__proto__'),
      tie('any'),
      { noNullPrototype: true, maxKeys: 20 },
    ),
  ),
})).any

describe('the output', () => {
  it('is read by msgpackr as the same value', () => {
    fc.assert(
      fc.property(value, original => {
        expectSame(readWithMsgpackr(encodeMsgpackValue(original)), original)
      }),
      { numRuns: 1000 },
    )
  })

  it('is read by msgpackr as the same messages and batches', () => {
    const message = fc.record({
      id: fc.oneof(fc.nat(), text),
      method: text,
      params: value,
      result: value,
      call: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(message, { minLength: 2, maxLength: 20 }), list => {
        const messages = list.map(({ id, method, params, result, call }): Message => {
          if (!call) return { jsonrpc: '2.0', id, result }
          return params === undefined ? { jsonrpc: '2.0', id, method } : { jsonrpc: '2.0', id, method, params }
        })
        const body = msgpackCodec.join(messages.map(each => msgpackCodec.encode(each) as Uint8Array)) as Uint8Array
        expectSame(readWithMsgpackr(body), messages)
        expectSame(decode(body), messages)
      }),
    )
  })

  it('has the shortest form of an integer', () =>
    rows([
      [0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffff_ffff, 2 ** 32, 2 ** 53],
      [-0x20, -0x21, -0x80, -0x81, -0x8000, -0x8001, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53)],
    ])((...numbers) => {
      expect(numbers.map(number => readWithMsgpackr(encodeMsgpackValue(number)))).toEqual(numbers)
      expect(numbers.map(number => encodeMsgpackValue(number).length)).toEqual([1, 2, 2, 3, 3, 5, 5, 9, 9])
    }))

  it('has the shortest form of a string, bytes, an array and a map', () => {
    expect([31, 32, 255, 256, 65_535, 65_536].map(n => head('x'.repeat(n)))).toEqual([
      0xbf, 0xd9, 0xd9, 0xda, 0xda, 0xdb,
    ])
    expect([10, 11, 85, 86].map(n => head('€'.repeat(n)))).toEqual([0xbe, 0xd9, 0xd9, 0xda])
    // After the names and the id.
    const headOfBytes = (n: number) => encodeInline({ jsonrpc: '2.0', id: 1, result: new Uint8Array(n) })[24]
    expect([255, 256, 65_536].map(headOfBytes)).toEqual([0xc4, 0xc5, 0xc6])
    expect([15, 16, 65_536].map(n => head(Array.from({ length: n }, () => 1)))).toEqual([0x9f, 0xdc, 0xdd])
    const map = (n: number): object => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, 1]))
    expect([15, 16].map(n => head(map(n)))).toEqual([0x8f, 0xde])
  })

  it('preserves any time', () =>
    rows([
      0,
      1,
      999,
      1000,
      2 ** 32 * 1000 - 1000,
      2 ** 32 * 1000,
      2 ** 34 * 1000 - 1,
      2 ** 34 * 1000,
      -1,
      -1000,
      8.64e15,
      -8.64e15,
    ])(time => expect((decode(encodeMsgpackValue(new Date(time))) as Date).getTime()).toBe(time)))

  it('does not depend on its place in memory', () => {
    const value = { text: 'é'.repeat(700), list: ['a', 'long '.repeat(50)], bytes: new Uint8Array(900).fill(3) }
    for (let i = 0; i < 100; i++)
      expect(decode(encodeMsgpackValue({ [`k${'x'.repeat(i)}`]: value }))).toEqual({ [`k${'x'.repeat(i)}`]: value })
  })
})

describe('a value is written correctly', () => {
  const message = (params: unknown): Message => ({ jsonrpc: '2.0', id: 1, method: 'm', params })

  it('when a getter encodes another value', () => {
    let inner: Uint8Array | undefined
    const params = {
      before: 'b',
      get now(): string {
        inner = msgpackCodec.encode(message({ deep: true })) as Uint8Array
        return 'n'
      },
      after: 'a',
    }
    const outer = msgpackCodec.encode(message(params)) as Uint8Array
    expect(decode(outer)).toEqual(message({ before: 'b', now: 'n', after: 'a' }))
    expect(decode(inner!)).toEqual(message({ deep: true }))
  })

  it('after a getter of the previous value threw', () => {
    const before = msgpackCodec.encode(message({ a: 1 })) as Uint8Array
    const params = {
      get now(): string {
        throw new Error('not now')
      },
    }
    expect(() => msgpackCodec.encode(message(params))).toThrow('not now')
    expect(decode(msgpackCodec.encode(message({ b: 2 })) as Uint8Array)).toEqual(message({ b: 2 }))
    expect(decode(before)).toEqual(message({ a: 1 }))
  })

  it('when a proxy or a class lies about its length, its keys or its type', () => {
    const lying = (length: unknown): unknown =>
      new Proxy([1], { get: (list, key) => (key === 'length' ? length : Reflect.get(list, key)) })
    for (const length of [0, 1, 3, 1.5, -0, '2', null, Number.NaN]) {
      expect(Array.isArray(decode(encodeMsgpackValue([lying(length)])))).toBe(true)
    }
    expect(() => encodeMsgpackValue(lying(-1))).toThrow('more than 1000000 values')
    for (const liar of [
      { constructor: 'Array', length: 9 },
      { constructor: { name: 'Map' }, size: 3 },
      { constructor: 1 },
    ])
      expect(decode(encodeMsgpackValue({ liar }))).toEqual({ liar })
  })
})
