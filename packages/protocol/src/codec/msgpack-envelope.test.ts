// The fast path for envelopes: it must return what the general reader returns for any similar bytes, and enforce the same rules.
import fc from 'fast-check'
import { Packr } from 'msgpackr/pack'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { readMsgpack, sameStructure } from '../../test/read-msgpack.js'
import type { Message } from '../wire/messages.js'
import { msgpackCodec } from './msgpack.js'

const packr = new Packr({ useRecords: false, variableMapSize: true })
const decode = (body: Uint8Array): unknown => msgpackCodec.decode(body)
const encode = (message: Message): Uint8Array => msgpackCodec.encode(message) as Uint8Array

/** Messages of each form that the fast path reads, and of some that it does not. */
const messages: Message[] = [
  { jsonrpc: '2.0', id: 1, result: 1 },
  { jsonrpc: '2.0', id: 300, result: { a: ['b'] } },
  { jsonrpc: '2.0', id: 70_000, method: 'greet', params: { name: 'x', n: 1 } },
  { jsonrpc: '2.0', id: 1, method: 'm', params: {} },
  { jsonrpc: '2.0', id: 'text', method: 'é', params: { é: 1 } },
  { jsonrpc: '2.0', id: 2 ** 40, method: 'plugin:a-name|that_is_longer_than_31_bytes', params: {} },
  { jsonrpc: '2.0', id: 2, method: 'm' },
  { jsonrpc: '2.0', method: 'n', params: { a: 1 } },
  { jsonrpc: '2.0', id: 3, method: 'h', params: { a: 1 }, headers: { b: 'c' } },
  { jsonrpc: '2.0', id: 4, method: 'h', headers: { b: 'c' } },
  { jsonrpc: '2.0', id: null, error: { code: -32_700, message: 'x' } },
]

describe('an envelope', () => {
  it('is read alone and in a batch', () =>
    rows(messages)(message => {
      expect(decode(encode(message))).toStrictEqual(message)
      const batch = msgpackCodec.join([message, ...messages, message].map(encode)) as Uint8Array
      expect(decode(batch)).toStrictEqual([message, ...messages, message])
    }))

  it('is read with its members in any order, as another library writes them', () =>
    rows(messages)(message => {
      const members = Object.entries(message)
      for (let rotation = 0; rotation < members.length; rotation++) {
        members.push(members.shift()!)
        expect(decode(packr.pack(Object.fromEntries(members)))).toStrictEqual(message)
      }
    }))

  it('is refused when it is cut short anywhere', () =>
    rows(messages)(message => {
      const body = encode(message)
      for (let length = 0; length < body.length; length++) {
        expect(() => decode(body.subarray(0, length))).toThrow('Parse error: the value is cut short')
      }
    }))

  it('is refused or read as a simple reader reads it when any byte changed', () => {
    for (const message of messages) {
      const body = encode(message)
      for (let at = 0; at < body.length; at++) {
        for (const byte of [0, 1, 0x7f, 0x80, 0x82, 0x91, 0xa0, 0xa1, 0xc0, 0xcc, 0xd9, 0xdf, 0xff, body[at]! ^ 1]) {
          const changed = Uint8Array.from(body)
          changed[at] = byte
          let read: unknown
          try {
            read = decode(changed)
          } catch {
            continue
          }
          expect(sameStructure(readMsgpack(changed), read)).toBe(true)
        }
      }
    }
  })

  it('is refused when a key is named __proto__, and read when a method is', () => {
    const proto = JSON.parse('{"__proto__":1}') as object
    for (const hostile of [
      { jsonrpc: '2.0', id: 1, method: 'm', params: proto },
      { jsonrpc: '2.0', id: 1, result: [proto] },
    ]) {
      expect(() => decode(packr.pack(hostile))).toThrow('a key named "__proto__" is refused')
    }
    const message: Message = { jsonrpc: '2.0', id: 1, method: '__proto__', params: {} }
    for (let i = 0; i < 3; i++) expect(decode(encode(message))).toStrictEqual(message)
  })

  it('counts towards the bounds of depth and number', () => {
    let deep: unknown = 1
    for (let i = 0; i < 63; i++) deep = [deep]
    const body = (params: unknown): Uint8Array => packr.pack({ jsonrpc: '2.0', id: 1, method: 'm', params })
    expect(() => decode(body(deep))).not.toThrow()
    expect(() => decode(body([deep]))).toThrow('nested deeper than 64')
    const list = (length: number): unknown[] => Array.from({ length }, () => 0)
    expect(() => decode(body(list(1e6 - 9)))).not.toThrow()
    expect(() => decode(body(list(1e6 - 8)))).toThrow('more than 1000000 values')
    expect(() => encode({ jsonrpc: '2.0', id: 1, method: 'm', params: list(1e6 - 9) })).not.toThrow()
    expect(() => encode({ jsonrpc: '2.0', id: 1, method: 'm', params: list(1e6 - 8) })).toThrow(
      'more than 1000000 values',
    )
  })
})

it('keys and methods that look alike are not mixed up when they repeat', () => {
  const key = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\u0000', '\u{10000}'), maxLength: 33 }),
    fc.string({ unit: 'binary', maxLength: 6 }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(key, key), { maxLength: 20 }), pairs => {
      const sent = pairs.map(([method, name], id): Message => ({ jsonrpc: '2.0', id, method, params: { [name]: id } }))
      if (sent.length > 1) expect(decode(msgpackCodec.join(sent.map(encode)) as Uint8Array)).toStrictEqual(sent)
    }),
    { numRuns: 500 },
  )
})
