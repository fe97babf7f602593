// The rules of JSON for values, alone and next to bytes.
import fc from 'fast-check'
import { Readable } from 'node:stream'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { IS_NODE } from '#platform'
import type { Message } from '../message/message.js'
import { packMessage } from '../rpc/bytes.js'
import { codecs } from './codecs.js'
import { toJsonValue } from './json-values.js'
import { stringifyJson } from './stringify-json.js'

const bytes = new Uint8Array([1, 2])
const { signal } = new AbortController()
const { port1: port } = new MessageChannel()

describe('stringifyJson', () => {
  it('refuses what JSON would change or lose, and says where it is', () =>
    rows<[value: unknown, text: string]>([
      [
        { a: { list: [0, new Map()] } },
        "a.list[1] is a value of type Map, which JSON cannot represent: pass Object.fromEntries(map), or choose codec: 'msgpack'",
      ],
      [new Set(), 'it is a value of type Set, which JSON cannot represent: pass an array'],
      [{ before: { deep: [1] }, pattern: /a/ }, 'pattern is a value of type RegExp'],
      [[[1], new TypeError('no')], '[1] is a value of type Error, which JSON cannot represent: pass its message'],
      [{ file: new Blob([]) }, 'file is a value of type Blob'],
      [
        { floats: new Float64Array(1) },
        'floats is a value of type Float64Array, which JSON cannot represent: pass a Uint8Array of its bytes',
      ],
      [{ view: new DataView(new ArrayBuffer(1)) }, 'view is a value of type DataView'],
      [{ a: { bytes } }, 'a.bytes is a value of type Uint8Array'],
      [{ a: [Buffer.from(bytes)] }, 'a[0] is a value of type Buffer'],
      [{ a: { buffer: bytes.buffer } }, 'a.buffer is a value of type ArrayBuffer'],
      [{ a: { toJSON: () => new Map() } }, 'a is a value of type Map'],
      [{ a: Object.assign(() => 1, { toJSON: () => new Map() }) }, 'a is a value of type Map'],
      [[[[[[[[[[[[new Map()]]]]]]]]]]], '[0][0][0][0][0][0][0][0][0][0][0] is a value of type Map'],
      [[Promise.resolve()], '[0] is a value of type Promise, which JSON cannot represent: await it first'],
    ])((value, text) => expect(() => stringifyJson(value)).toThrow(text)))

  it('says what it is, and what to do', () =>
    rows<[text: string, value: unknown]>([
      ['on.save is a function, which JSON cannot represent: pass a Channel, or expose it', { on: { save: () => 1 } }],
      ['it is a function', async () => 1],
      ['id is a symbol, which JSON cannot represent: pass its description', { id: Symbol('s') }],
      ["[1] is NaN, which JSON cannot represent: pass null or a string, or choose codec: 'msgpack'", [0, Number.NaN]],
      ['max is -Infinity', { max: -Infinity }],
      ['signal is a value of type AbortSignal, which JSON cannot represent: pass it as the option', { signal }],
      ['port is a value of type MessagePort, which JSON cannot represent: pass a Channel', { port }],
      ['a.body is a value of type ReadableStream, which JSON cannot', { a: { body: new ReadableStream() } }],
      ['body is a value of type Stream', { body: Readable.from([]) }],
      ['body is a value of type AsyncIterable', { body: { async *[Symbol.asyncIterator]() {} } }],
      ['at[0] is a value of type Date, which JSON cannot represent: pass null', { at: [new Date(Number.NaN)] }],
      ['ids is a value of type Iterator, which JSON cannot represent: pass an array', { ids: new Map().keys() }],
      ['f[0] is a value of type Set', runInNewContext('({ f: [new Set()] })')],
    ])((text, value) => expect(() => stringifyJson(value)).toThrow(text)))

  it('refuses whatever JSON would change, however deep and in whatever object, and writes all else as JSON.stringify does', () => {
    const carried = fc.constantFrom(0, -1.5, '', true, null, undefined, new Date(0), new URL('http://a/b'))
    const changed = fc.constantFrom(Number.NaN, -Infinity, new Map(), new Set(), /a/, () => 1, Symbol('s'), bytes, port)
    const around = fc.constantFrom<(member: unknown) => unknown>(
      a => [0, a],
      a => ({ before: null, a }),
      a => Object.assign(Object.create(null) as object, { a }),
      a => Object.assign(new (class Row {})(), { a }),
      a => Object.assign(Array(3), { 1: a }),
    )
    const wrap = (value: unknown, arounds: readonly ((member: unknown) => unknown)[]): unknown =>
      arounds.reduce((inner, place) => place(inner), value)
    fc.assert(
      fc.property(fc.array(around, { minLength: 1, maxLength: 70 }), carried, changed, (arounds, same, other) => {
        expect(stringifyJson(wrap(same, arounds))).toBe(JSON.stringify(wrap(same, arounds)))
        expect(() => stringifyJson(wrap(other, arounds))).toThrow('which JSON cannot represent')
      }),
    )
  })

  it('refuses a cycle as JSON.stringify does', () => {
    const cycle: unknown[] = []
    cycle.push({ cycle })
    expect(() => stringifyJson(cycle)).toThrow('circular structure')
  })

  it('writes all else as JSON.stringify does', () =>
    rows<[value: unknown]>([
      [{ at: new Date(0), url: new URL('http://a/b'), none: undefined, [Symbol('s')]: 1 }],
      [{ error: Object.assign(new Error('no'), { toJSON: () => ({ message: 'no' }) }) }],
      [[undefined, { type: 'Buffer', data: [1] }, Object.create(null)]],
      [Object.assign(new (class Row {})(), { at: new Date(1), list: Array.from({ length: 100 }, () => [1]) })],
      [undefined],
    ])(value => expect(stringifyJson(value)).toBe(JSON.stringify(value))))
})

describe('values next to bytes', () => {
  const decoded = (params: object, codec: 'json' | 'msgpack'): unknown =>
    (
      codecs.msgpack.decode(
        packMessage({ jsonrpc: '2.0', id: 1, method: 'm', params }, codec).encoded as Uint8Array,
      ) as { params: unknown }
    ).params

  it.skipIf(!IS_NODE)('follow the rules of the codec that was chosen', () => {
    const params = { at: new Date(0), bytes, none: undefined, big: 2 ** 53, list: [undefined] }
    expect(decoded(params, 'json')).toStrictEqual({ at: '1970-01-01T00:00:00.000Z', bytes, big: 2 ** 53, list: [null] })
    expect(decoded(params, 'msgpack')).toStrictEqual(params)
  })

  it('are refused as without bytes', () => {
    expect(() => decoded({ map: new Map(), bytes }, 'json')).toThrow('map is a value of type Map')
    expect(() => decoded({ deep: { bytes }, bytes }, 'json')).toThrow('deep.bytes is a value of type Uint8Array')
    expect(() => decoded({ nan: Number.NaN, bytes }, 'json')).toThrow('nan is NaN')
    expect(() => decoded({ big: 1n, bytes }, 'json')).toThrow('BigInt')
  })

  it('keep the order of members, and are not copied if JSON changes nothing', () => {
    const plain = { a: 1, bytes, b: 'x' }
    expect(toJsonValue(plain)).toBe(plain)
    expect(Object.keys(toJsonValue({ a: {}, bytes, b: new Date(0) }) as object)).toEqual(['a', 'bytes', 'b'])
  })

  it('follow a toJSON of the whole value', () => {
    expect(toJsonValue({ bytes, toJSON: () => ({ bytes, at: new Date(0) }) })).toEqual({
      bytes,
      at: '1970-01-01T00:00:00.000Z',
    })
    expect(toJsonValue({ bytes, toJSON: () => undefined })).toBeUndefined()
  })

  it('follow the rules in the data of an error too', () => {
    const error: Message = { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'm', data: { at: new Date(0), bytes } } }
    expect(codecs.msgpack.decode(packMessage(error, 'json').encoded as Uint8Array)).toMatchObject({
      error: { data: { at: '1970-01-01T00:00:00.000Z', bytes } },
    })
  })
})
