// Keys named `__proto__`, which a careless assignment would turn into a prototype. Both codecs refuse them on both sides, at any
// depth and in any spelling. The string is allowed as a value.
import fc from 'fast-check'
import { Packr } from 'msgpackr/pack'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { Message } from '../wire/messages.js'
import { encodeMessage } from '../rpc/outbox.js'
import { codecs } from './codecs.js'

const before = Reflect.ownKeys(Object.prototype)

const packr = new Packr({ useRecords: false })
const refused = expect.objectContaining({
  reason: 'ParseError',
  message: 'Parse error: a key named "__proto__" is refused',
})
const decodeJson = (text: string): unknown => codecs.json.decode(Buffer.from(text))
const withProto = (value: unknown): object => JSON.parse(`{"__proto__":${JSON.stringify(value)}}`) as object

function wrap(value: unknown, depth: number): unknown {
  let wrapped = value
  for (let i = 0; i < depth; i++) wrapped = i % 2 ? [1, wrapped] : { a: 1, b: wrapped }
  return wrapped
}

describe('in JSON', () => {
  it('refuses the key at any depth and however it is escaped', () =>
    rows([
      '{"__proto__":1}',
      '{"__proto__":{"polluted":1}}',
      '{"__proto__":null}',
      '{"a":1,"__proto__":1}',
      '{ "__proto__" : 1 }',
      '[{"__proto__":1}]',
      '{"jsonrpc":"2.0","method":"m","params":{"__proto__":1}}',
      '{"jsonrpc":"2.0","method":"m","__proto__":{"params":{}}}',
      '{"__proto__":1,"__proto__":2}',
      '{"\\u005f_proto__":1}',
      '{"\\u005F\\u005f\\u0070\\u0072\\u006f\\u0074\\u006F\\u005f\\u005f":1}',
      '{"__pr\\u006fto__":1}',
      '{"x":"\\"","__proto_\\u005f":1}',
    ])(text => expect(() => decodeJson(text)).toThrow(refused)))

  it('reads a text that has the name elsewhere', () =>
    rows([
      '{"a":"__proto__"}',
      '["__proto__"]',
      '"__proto__"',
      '{"a":"{\\"__proto__\\":1}"}',
      '{"__proto":1,"proto__":2,"__proto___":3,"___proto__":4,"__PROTO__":5}',
      '{"\\\\u005f_proto__":1}',
      '{"constructor":{"prototype":1},"toString":1,"hasOwnProperty":1}',
    ])(text => expect(decodeJson(text)).toEqual(JSON.parse(text))))

  it('finds the key at any depth', () => {
    for (const depth of [1, 2, 10, 61, 500])
      expect(() => decodeJson(JSON.stringify(wrap(withProto(1), depth)))).toThrow(refused)
    expect(() => decodeJson(`${'['.repeat(20_000)}{"__proto__":1}${']'.repeat(20_000)}`)).toThrow(refused)
  })
})

describe('in msgpack', () => {
  const key = Buffer.from('__proto__')
  const heads: [string, number[]][] = [
    ['a short string', [0xa9]],
    ['a string of 8 bits', [0xd9, 9]],
    ['a string of 16 bits', [0xda, 0, 9]],
    ['a string of 32 bits', [0xdb, 0, 0, 0, 9]],
  ]

  it('refuses the key in each form of string and map and at any depth', () =>
    rows(heads)((_name, head) => {
      const spelled = Buffer.concat([Buffer.from(head), key])
      for (const map of [[0x81], [0xde, 0, 1], [0xdf, 0, 0, 0, 1]]) {
        const body = Buffer.concat([Buffer.from(map), spelled, Buffer.from([0xc0])])
        expect(() => codecs.msgpack.decode(body)).toThrow(refused)
        for (const around of [1, 30, 60]) {
          const deep = Buffer.concat([Buffer.alloc(around, 0x91), body])
          expect(() => codecs.msgpack.decode(deep)).toThrow(refused)
        }
      }
      const second = Buffer.concat([Buffer.from([0x82, 0xa1, 0x61, 1]), spelled, Buffer.from([1])])
      expect(() => codecs.msgpack.decode(second)).toThrow(refused)
    }))

  it('reads the value in each form of string', () =>
    rows(heads)((_name, head) => {
      const spelled = Buffer.concat([Buffer.from(head), key])
      expect(codecs.msgpack.decode(Buffer.concat([Buffer.from([0x81, 0xa1, 0x61]), spelled]))).toEqual({
        a: '__proto__',
      })
      expect(codecs.msgpack.decode(Buffer.concat([Buffer.from([0x91]), spelled]))).toEqual(['__proto__'])
    }))

  it('does not read another key as __proto__', () => {
    const bom = Buffer.concat([Buffer.from([0x81, 0xac, 0xef, 0xbb, 0xbf]), key, Buffer.from([1])])
    const overlong = Buffer.concat([Buffer.from([0x81, 0xaa, 0xc1, 0x9f]), key.subarray(1), Buffer.from([1])])
    const longer = Buffer.concat([Buffer.from([0x81, 0xaa]), Buffer.from('x__proto__'), Buffer.from([1])])
    for (const body of [bom, overlong, longer]) {
      const read = codecs.msgpack.decode(body) as object
      expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
      expect(Object.keys(read)).not.toContain('__proto__')
    }
  })

  it('refuses the key as bytes or in an array', () => {
    const asBytes = Buffer.concat([Buffer.from([0x81, 0xc4, 9]), key, Buffer.from([1])])
    const asArray = Buffer.concat([Buffer.from([0x81, 0x91, 0xa9]), key, Buffer.from([1])])
    for (const body of [asBytes, asArray]) {
      expect(() => codecs.msgpack.decode(body)).toThrow(expect.objectContaining({ reason: 'ParseError' }))
    }
  })
})

describe('a sender', () => {
  const attempts: [string, Message][] = [
    ['params', { jsonrpc: '2.0', id: 1, method: 'm', params: { a: withProto(1) } }],
    ['all of params', { jsonrpc: '2.0', id: 1, method: 'm', params: withProto(1) }],
    ['headers', { jsonrpc: '2.0', id: 1, method: 'm', headers: withProto('x') as Record<string, string> }],
    ['a result', { jsonrpc: '2.0', id: 1, result: [withProto({ polluted: 1 })] }],
    ['the data of an error', { jsonrpc: '2.0', id: 1, error: { code: 1, message: '', data: withProto(1) } }],
  ]

  it('does not send it in any message', () =>
    rows(attempts)((_name, message) => {
      for (const codec of Object.values(codecs)) {
        expect(() => encodeMessage(codec, message, true)).toThrow(new TypeError('a key named "__proto__" is refused'))
      }
    }))

  it('sends the string as a value, and does not send a prototype', () => {
    for (const codec of Object.values(codecs)) {
      const params = Object.create({ inherited: 1 }, { a: { value: '"__proto__":', enumerable: true } }) as object
      const text = encodeMessage(codec, { jsonrpc: '2.0', method: '__proto__', params }, true)
      expect(codec.decode(Buffer.from(text as string))).toEqual({
        jsonrpc: '2.0',
        method: '__proto__',
        params: { a: '"__proto__":' },
      })
    }
  })
})

it('both codecs find the key at any place, when they encode and when they decode', () => {
  const inside = fc.jsonValue({ maxDepth: 3 })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), inside), { minLength: 1, maxLength: 8 }), inside, (path, value) => {
      let deep: unknown = withProto(value)
      for (const [key, sibling] of path) deep = key.length % 2 ? [sibling, deep] : { [`k${key}`]: deep, sibling }
      const message: Message = { jsonrpc: '2.0', id: 1, result: deep }
      expect(() => decodeJson(JSON.stringify(message))).toThrow(refused)
      expect(() => codecs.msgpack.decode(packr.pack(message))).toThrow(refused)
      expect(() => encodeMessage(codecs.json, message, true)).toThrow(TypeError)
      expect(() => encodeMessage(codecs.msgpack, message, true)).toThrow(TypeError)
    }),
  )
})

it('Object.prototype is unchanged', () => {
  expect(Reflect.ownKeys(Object.prototype)).toEqual(before)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})
