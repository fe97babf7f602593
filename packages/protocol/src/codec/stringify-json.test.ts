// The rules of JSON for values.
import fc from 'fast-check'
import { Readable } from 'node:stream'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { stringifyJson } from './stringify-json.js'

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
      [{ a: { toJSON: () => new Map() } }, 'a is a value of type Map'],
      [{ a: Object.assign(() => 1, { toJSON: () => new Map() }) }, 'a is a value of type Map'],
      [[[[[[[[[[[[new Map()]]]]]]]]]]], '[0][0][0][0][0][0][0][0][0][0][0] is a value of type Map'],
      [runInNewContext('({ a: Promise.resolve() })'), 'a is a value of type Promise'],
      [[Promise.resolve()], '[0] is a value of type Promise, which JSON cannot represent: await it first'],
      [
        {
          query: new (class Query {
            then = () => 1
          })(),
        },
        'query is a value of type Promise',
      ],
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
    const changed = fc.constantFrom(Number.NaN, -Infinity, new Map(), new Set(), /a/, () => 1, Symbol('s'), port)
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
    const cycle: unknown[] = [new Uint8Array(1)]
    cycle.push({ cycle })
    expect(() => stringifyJson(cycle)).toThrow('circular structure')
  })

  it('writes all else as JSON.stringify does', () =>
    rows<[value: unknown]>([
      [{ at: new Date(0), url: new URL('http://a/b'), none: undefined, [Symbol('s')]: 1 }],
      [{ error: Object.assign(new Error('no'), { toJSON: () => ({ message: 'no' }) }) }],
      [[undefined, { type: 'Buffer', data: [1] }, Object.create(null)]],
      [Object.assign(new (class Row {})(), { at: new Date(1), list: Array.from({ length: 100 }, () => [1]) })],
      [
        {
          row: new (class Row {
            a = 1
            toJSON() {
              return this
            }
          })(),
        },
      ],
      [undefined],
    ])(value => expect(stringifyJson(value)).toBe(JSON.stringify(value))))
})
