// The MessagePack codec of pages against that of core.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { HAS_BYTES, type Message } from '../message/message.js'
import { encodeMessage } from '../rpc/outbox.js'
import { MAX_DEPTH } from '../wire/limits.js'
import { msgpackCodec as browserCodec } from './msgpack.browser.js'
import { markAttachments, toJsonMessage } from './attachments.js'
import type { Codec } from './codec.js'
import { msgpackCodec } from './msgpack.js'

/** Packs a message as `packMessage` does for a sender whose codec is JSON. */
function pack(codec: Codec, original: Message) {
  const { message, attachments } = markAttachments(toJsonMessage(original))
  return { encoded: encodeMessage(codec, message, true), attachments }
}
const packInBrowser = (original: Message) => pack(browserCodec, original)
const packInNode = (original: Message) => pack(msgpackCodec, original)

const bytes = fc.uint8Array({ maxLength: 300 })
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }).filter(json => !JSON.stringify(json).includes('__proto__')),
  fc.dictionary(fc.string({ maxLength: 5 }), fc.integer(), { noNullPrototype: true, maxKeys: 20 }),
  fc.string({ minLength: 30, maxLength: 40, unit: 'grapheme' }),
  fc.constantFrom('x'.repeat(300), 'ä'.repeat(40_000), 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -0.5, 1e300, 255, 256, -129),
)
const args = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.oneof(value, bytes), { noNullPrototype: true })
const message = fc.record({ params: args, id: fc.nat() }).map(({ id, params }): Message => {
  return { jsonrpc: '2.0', id, method: 'command', params, headers: { a: 'b' } }
})
const plain = (decoded: unknown): unknown => JSON.parse(JSON.stringify(decoded), (_key, each: unknown) => each)

describe('a message of a page', () => {
  test('is read by core as one of a worker', () => {
    fc.assert(
      fc.property(message, each => {
        const packed = packInBrowser(each)
        const other = packInNode(each)
        expect(packed.attachments).toEqual(other.attachments)
        const read = msgpackCodec.decode(packed.encoded as Uint8Array, false, packed.attachments)
        expect(plain(read)).toEqual(plain(msgpackCodec.decode(other.encoded as Uint8Array, false, other.attachments)))
      }),
    )
  })

  test('has large bytes as attachments', () => {
    const params = { a: new Uint8Array(100_000).fill(1), b: 'text', c: new Uint8Array(10) }
    const { encoded, attachments } = packInBrowser({ jsonrpc: '2.0', id: 1, method: 'command', params })
    expect(attachments).toEqual([params.a])
    expect(msgpackCodec.decode(encoded as Uint8Array, false, attachments)).toMatchObject({ params })
  })

  test('keeps bytes of a marked argument', () => {
    const marked = { n: 1, data: new Uint8Array(100_000).fill(2), [HAS_BYTES]: true }
    const { encoded, attachments } = packInBrowser({ jsonrpc: '2.0', id: 1, method: 'command', params: { marked } })
    expect(attachments).toEqual([marked.data])
    const read = msgpackCodec.decode(encoded as Uint8Array, false, attachments)
    expect(read).toMatchObject({ params: { marked: { n: 1, data: marked.data } } })
  })

  test('is refused if core would refuse it', () => {
    let deep: object = {}
    for (let n = 0; n < MAX_DEPTH; n++) deep = { deep }
    const encode = (params: unknown) => browserCodec.encode({ jsonrpc: '2.0', method: 'command', params }, true)
    expect(() => encode(deep)).toThrow('nested deeper')
    expect(() => encode(JSON.parse('{"__proto__":1}'))).toThrow('"__proto__" is refused')
    expect(() => encode([1])).toThrow('neither an object nor bytes')
    expect(() => encode({ a: 1n })).toThrow('bigint')
  })
})

describe('a message of core', () => {
  test('is read by a page', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 3 }), messages => {
        const packed = messages.map(each => packInNode(each))
        const attachments = packed.flatMap(each => each.attachments)
        const body = msgpackCodec.join(packed.map(({ encoded }) => encoded)) as Uint8Array
        const read = browserCodec.decode(body, true, attachments)
        expect(plain(read)).toEqual(plain(msgpackCodec.decode(body, true, attachments)))
      }),
    )
  })

  test('is refused if it is malformed', () =>
    rows([[[0x92, 1]], [[0xa5, 65]], [[0xc4, 9, 1]], [[0xd6, 0x53, 0, 0, 0, 9]], [[0x81]], [[]]])(body =>
      expect(() => browserCodec.decode(Uint8Array.from(body), true)).toThrow('Parse error'),
    ))
})
