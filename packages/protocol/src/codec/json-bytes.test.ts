// Bytes arrive where they were, for every shape of message, in both codecs: large ones in frames of their own. Both sides refuse malformed ones.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { wasmMemory } from '../../test/wasm-memory.js'
import { IS_NODE } from '#platform'
import type { Message } from '../wire/messages.js'
import type { Codec } from './codec.js'
import { BatchReader, codecs } from './codecs.js'
import { detachAttachments, Outbox, packMessage } from '../rpc/outbox.js'
import { MAX_ATTACHED_BYTES, MAX_FRAME_BYTES, MIN_ATTACHMENT_BYTES } from '../wire/limits.js'

const large = (fill: number, more = 0): Uint8Array => new Uint8Array(MIN_ATTACHMENT_BYTES + more).fill(fill)
const [a, b, c] = [large(1), large(2, 1), large(3, 2)]
const call = (params: unknown, method = 'm'): Message => ({ jsonrpc: '2.0', id: 1, method, params })

/** Replaces bytes by a short description, because comparing them one by one is slow. */
const named = (messages: unknown): unknown =>
  JSON.parse(
    JSON.stringify(messages, (_key, value: unknown) => {
      const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value
      return bytes instanceof Uint8Array ? `${bytes.length} bytes of ${bytes[0]} to ${bytes.at(-1)}` : value
    }),
  )

/** Sends messages through an outbox and a reader. Returns what was read, and the kinds and sizes of the frames. */
function roundTrip(codec: Codec, ...messages: Message[]) {
  const frames: { kind: number; bytes: number }[] = []
  const reader = new BatchReader()
  const read: unknown[] = []
  const outbox = new Outbox(({ kind, body }) => {
    frames.push({ kind, bytes: body.length })
    read.push(...reader.read(kind, body))
  })
  for (const message of messages) {
    const packed = packMessage(codec, message, true)
    const { encoded, attachments } = detachAttachments(packed)
    outbox.put(packed.codec, encoded, attachments)
  }
  outbox.flush()
  return { kinds: frames.map(({ kind }) => kind), last: frames.at(-1)?.bytes, read }
}

class Place {
  toJSON(): unknown {
    return { a }
  }
}
class Point {
  data = a
  toJSON(): unknown {
    return this
  }
}
const small = new Uint8Array([1, 2])

/** A page has JSON alone. */
const available = IS_NODE ? Object.values(codecs) : [codecs.json]

/** The codec, and the kind of its frames with bytes. */
const inEach = (check: (codec: Codec, kind: number) => unknown) =>
  rows(available.map(codec => [codec.name, codec] as const))((_name, codec) =>
    check(codec, codec === codecs.json ? 4 : 2),
  )

describe('bytes', () => {
  it('travel in frames of their own if they are large, wherever they are in a message', () =>
    inEach((codec, own) =>
      rows<[string, Message, number]>([
        ['as all params', call(a), 1],
        ['as an ArrayBuffer', call(a.buffer), 1],
        ['as arguments, among others', call({ x: 1, a, small: new Uint8Array(9), b, t: 'é', c }), 3],
        ['as one argument twice', call({ a, again: a }), 2],
        ['as the payload of an event', call({ event: 'e', payload: a }, 'plugin:event|emit'), 1],
        ['as a result', { jsonrpc: '2.0', id: 1, result: a }, 1],
        ['in a result', { jsonrpc: '2.0', id: 1, result: { 1: a, b, __x: [1] } }, 2],
        ['in an error', { jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'x', data: [a] } }, 1],
        ['in an object without a prototype', call(Object.assign(Object.create(null) as object, { a })), 1],
        ['deep down', call({ deep: { 'a/b~': [0, { a }] }, list: [a] }), 2],
        ['in an instance of a class', call({ point: new Point() }), 1],
        ['in what a toJSON returns', call({ at: new Place() }), 1],
      ])((_name, message, count) => {
        const { kinds, last, read } = roundTrip(codec, message)
        expect(kinds).toEqual([...Array.from({ length: count }, () => 5), own])
        expect(last).toBeLessThan(300)
        expect(named(read)).toEqual(named([message]))
      }),
    ))

  it('share the frame of their message, and of others, if they are small', () =>
    inEach((codec, own) => {
      const messages = [
        call(small),
        call({ list: [small, [small]], size: 2 }),
        { jsonrpc: '2.0' as const, id: 2, result: small },
      ]
      const { kinds, read } = roundTrip(codec, ...messages)
      expect(kinds).toEqual([own])
      expect(read).toStrictEqual(messages)
    }))

  it('arrive with their own message when others are sent in between', () =>
    inEach(codec => {
      const params = [{ n: 1 }, { a }, { n: 2 }, { b, small, c }, { small }]
      expect(roundTrip(codec, ...params.map(each => call(each))).read).toEqual(params.map(each => call(each)))
    }))

  it('arrive each in a buffer of their own', () =>
    inEach(codec => {
      const { read } = roundTrip(codec, call({ a: a.subarray(0), b: Buffer.from(b), small: Buffer.from(small) }))
      for (const bytes of Object.values((read[0] as { params: Record<string, Uint8Array> }).params)) {
        expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
        expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, bytes.byteLength])
      }
    }))

  it('are refused before anything is sent when they exceed the limit', () =>
    inEach(codec => {
      const half = new Uint8Array(MAX_ATTACHED_BYTES / 2 + 1)
      for (const params of [new Uint8Array(MAX_ATTACHED_BYTES + 1), { half, again: half }]) {
        expect(() => packMessage(codec, call(params))).toThrow(
          expect.objectContaining({
            reason: 'InvalidParams',
            message: expect.stringContaining('over the limit of 268435456'),
          }),
        )
      }
    }))
})

it('values next to bytes follow the rules of the codec', () => {
  const params = { at: new Date(0), small, none: undefined, list: [undefined] }
  if (IS_NODE) expect(roundTrip(codecs.msgpack, call(params)).read).toStrictEqual([call(params)])
  const changed = { at: '1970-01-01T00:00:00.000Z', small, list: [null] }
  expect(roundTrip(codecs.json, call(params)).read).toStrictEqual([call(changed)])
  expect(() => packMessage(codecs.json, call({ deep: { map: new Map() }, small }))).toThrow(
    'deep.map is a value of type Map',
  )
})

// A page trusts its server.
describe.skipIf(!IS_NODE)('a reader refuses', () => {
  const mark = (length: number): Uint8Array =>
    new Uint8Array([0xd6, 0x53, 0, length >> 16, (length >> 8) & 255, length & 255])
  const size = MIN_ATTACHMENT_BYTES
  const frame = (...marks: Uint8Array[]): Uint8Array => Buffer.concat([Buffer.from([0x90 | marks.length]), ...marks])

  it('marks and attachments that do not match', () =>
    rows<[string, Uint8Array[], Uint8Array, string]>([
      ['a mark without an attachment', [], frame(mark(size)), 'is missing or has another length'],
      ['two marks for one attachment', [a], frame(mark(size), mark(size)), 'is missing or has another length'],
      ['a wrong length', [a], frame(mark(size + 1)), 'is missing or has another length'],
      ['attachments in another order', [b, a], frame(mark(size), mark(size + 1)), 'is missing or has another length'],
      ['an attachment without a mark', [a], Buffer.from([0x91, 1]), 'was not used'],
      ['one attachment too many', [a, a], frame(mark(size)), 'was not used'],
      ['a mark as a key', [a], Buffer.concat([Buffer.from([0x81]), mark(size), Buffer.from([1])]), 'a key is neither'],
      ['a mark of another size', [a], Buffer.from([0x91, 0xd4, 0x53, 1]), 'must have 4 bytes'],
      ['a mark cut short', [a], Buffer.from([0x91, 0xd6, 0x53, 0]), 'cut short'],
    ])((_name, attachments, body, text) => {
      const reader = new BatchReader()
      for (const bytes of attachments) expect(reader.read(5, bytes)).toEqual([])
      const refused = expect.objectContaining({ reason: 'ParseError', message: expect.stringContaining(text) })
      expect(() => reader.read(2, body)).toThrow(refused)
    }))

  const outOfBounds = expect.objectContaining({
    reason: 'InvalidRequest',
    message: expect.stringContaining('out of bounds'),
  })

  it('attachments that are too small', () => {
    for (const length of [0, 1, MIN_ATTACHMENT_BYTES - 1])
      expect(() => new BatchReader().read(5, new Uint8Array(length))).toThrow(outOfBounds)
  })

  it('more bytes than the limit of a frame, in one attachment or in several', () => {
    const reader = new BatchReader()
    const bytes = new Uint8Array(MAX_ATTACHED_BYTES / 4)
    for (let i = 0; i < 4; i++) reader.read(5, bytes)
    expect(() => reader.read(5, a)).toThrow(outOfBounds)
    expect(new BatchReader().read(5, new Uint8Array(MAX_ATTACHED_BYTES))).toEqual([])
    expect(() => new BatchReader().read(5, new Uint8Array(MAX_ATTACHED_BYTES + 1))).toThrow(outOfBounds)
    const body = new Uint8Array(MAX_FRAME_BYTES + 1)
    expect(() => new BatchReader().read(4, body)).toThrow(`a frame of ${body.length} bytes is over the limit`)
  })

  it('no frame in between: attachments wait for the next frame that can refer to them', () => {
    const reader = new BatchReader()
    reader.read(5, a)
    expect(reader.read(1, Buffer.from('{"id":1}'))).toEqual([{ id: 1 }])
    expect(reader.read(2, frame(mark(size)))).toEqual([a])
    expect(reader.read(2, Buffer.from([0x91, 1]))).toEqual([1])
  })

  it('JSON whose bytes do not match what it says of them', () => {
    const body = (text: string, tail: number[] = [], length = text.length): Uint8Array =>
      Buffer.from([0, 0, length >> 8, length & 255, ...Buffer.from(text), ...tail])
    const one = [0, 0, 0, 1, 7]
    const refused = expect.objectContaining({ reason: 'ParseError' })
    expect(new BatchReader().read(4, body('{"~":[null],"bytes":["/~0/0"]}', one))).toEqual([
      { '~': [new Uint8Array([7])] },
    ])
    return rows<[string, Uint8Array]>([
      ['no length', Buffer.from([0, 0])],
      ['a text cut short', body('{}', [], 3)],
      ['bytes that no message has', body('{}', one)],
      ['bytes that are missing', body('{"a":null,"bytes":["/a"]}')],
      ['bytes cut short', body('{"a":null,"bytes":["/a"]}', [0, 0, 0, 2, 7])],
      ['an attachment that is missing', body('{"a":null,"bytes":["/a"]}', [0, 1, 0, 0])],
      ['a place twice', body('{"a":null,"bytes":["/a","/a"]}', [...one, ...one])],
      ['a place that is taken', body('{"a":1,"bytes":["/a"]}', one)],
      ['no place', body('{"bytes":["/a"]}', one)],
      ['the prototype', body('{"bytes":["/__proto__/a"]}', one)],
      ['an inherited member', body('{"bytes":["/constructor/prototype/a"]}', one)],
      ['a place in a text', body('{"a":"b","bytes":["/a/0"]}', one)],
      ['the whole message', body('{"bytes":[""]}', one)],
      ['no pointer', body('{"bytes":[1]}', one)],
      ['no list', body('{"bytes":1}', one)],
    ])((_name, each) => expect(() => new BatchReader().read(4, each)).toThrow(refused))
  })
})

describe.skipIf(!IS_NODE)('a transferred buffer', () => {
  it('is detached, large or small, whole or in part; other bytes are copied', () => {
    const alone = large(1)
    const { buffer } = alone
    const [small, kept] = [new Uint8Array(8).fill(4), large(5)]
    const part = new Uint8Array(2 * MIN_ATTACHMENT_BYTES + 1).fill(6).subarray(1, 1 + MIN_ATTACHMENT_BYTES)
    const params = { alone, small, kept, part }
    const packed = packMessage(codecs.json, call(params))
    const { codec, encoded, attachments } = detachAttachments(packed, [buffer, small.buffer, part.buffer])
    expect([alone, small, kept, part].map(({ length }) => length)).toEqual([0, 0, MIN_ATTACHMENT_BYTES, 0])
    kept.fill(9)
    const reader = new BatchReader()
    for (const bytes of attachments) reader.read(5, bytes)
    const [decoded] = reader.read(codec.kind, codec.join([encoded])) as { params: Record<string, Uint8Array> }[]
    expect(Object.values(decoded!.params).map(bytes => [bytes.length, bytes[0], bytes.at(-1)])).toEqual([
      [MIN_ATTACHMENT_BYTES, 1, 1],
      [8, 4, 4],
      [MIN_ATTACHMENT_BYTES, 5, 5],
      [MIN_ATTACHMENT_BYTES, 6, 6],
    ])
    for (const bytes of attachments) expect(bytes.byteLength).toBe(bytes.buffer.byteLength)
  })

  it('can be listed twice, and be the buffer of two values', () => {
    const bytes = new Uint8Array(4 * MIN_ATTACHMENT_BYTES).fill(7)
    const params = { half: bytes.subarray(MIN_ATTACHMENT_BYTES * 2), bytes, again: bytes }
    const packed = packMessage(codecs.json, call(params))
    const { attachments } = detachAttachments(packed, [bytes.buffer, bytes.buffer])
    expect(attachments.map(each => [each.length, each.at(-1)])).toEqual([
      [MIN_ATTACHMENT_BYTES * 2, 7],
      [MIN_ATTACHMENT_BYTES * 4, 7],
      [MIN_ATTACHMENT_BYTES * 4, 7],
    ])
    expect(new Set(attachments.map(each => each.buffer)).size).toBe(3)
    expect(bytes.length).toBe(0)
  })

  it('is not detached when another cannot be transferred', () => {
    const [first, gone] = [large(1), new Uint8Array(8)]
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    const packed = packMessage(codecs.json, call({ first }))
    expect(() => detachAttachments(packed, [first.buffer, gone.buffer])).toThrow(
      expect.objectContaining({ reason: 'InvalidParams', message: expect.stringContaining('cannot be transferred') }),
    )
    expect(first.length).toBe(MIN_ATTACHMENT_BYTES)
  })

  it('is not detached when another is WebAssembly memory, which Node refuses or copies (Node 20)', () => {
    const [first, fixed] = [large(1), new Uint8Array(wasmMemory())]
    const packed = packMessage(codecs.json, call({ first, fixed }))
    let claimed = 0
    try {
      claimed = detachAttachments(packed, [first.buffer, fixed.buffer]).attachments.length
    } catch (error) {
      expect(error).toMatchObject({ reason: 'InvalidParams' })
      expect(first.length).toBe(MIN_ATTACHMENT_BYTES)
    }
    expect([0, 2]).toContain(claimed)
    expect(fixed.length).toBe(MIN_ATTACHMENT_BYTES)
  })

  it('is copied if it is the memory that small Buffers share', () => {
    const [pooled, neighbour] = [Buffer.from('small'), Buffer.from('neighbour')]
    detachAttachments(packMessage(codecs.json, call({ pooled })), [pooled.buffer])
    expect([pooled.toString(), neighbour.toString()]).toEqual(['small', 'neighbour'])
  })
})

it('any set of arguments comes back as it was given', () => {
  const value = fc.oneof(
    fc.integer(),
    fc.string(),
    fc.uint8Array({ maxLength: 20 }),
    fc.integer({ min: 0, max: 255 }).map(fill => large(fill, fill)),
  )
  fc.assert(
    fc.property(
      fc.array(
        fc.dictionary(
          fc.string().filter(key => key !== '__proto__'),
          value,
          { maxKeys: 6 },
        ),
      ),
      args => {
        const messages = args.map(params => call(params))
        for (const codec of available) expect(named(roundTrip(codec, ...messages).read)).toEqual(named(messages))
      },
    ),
    { numRuns: 60 },
  )
})
