import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { EncodedMessage } from '../codec/codec.js'
import { BatchReader } from '../codec/codecs.js'
import { FRAME_KIND } from '../wire/link.js'
import { EventBatch } from './event-batch.js'
import { Outbox } from './outbox.js'

function setUp() {
  const frames: EncodedMessage[] = []
  const counts: number[] = []
  const outbox = new Outbox(({ body }, count) => {
    frames.push(body)
    counts.push(count)
  })
  const batch = new EventBatch(outbox)
  const add = (event: string, payload: unknown): void => {
    const encoded = EventBatch.encode(event, payload)
    if (typeof encoded !== 'object') throw new Error(`${event} cannot share a message`)
    batch.add(encoded)
  }
  return { frames, counts, outbox, add }
}

const nest = (depth: number, value: unknown): unknown => (depth === 0 ? value : [nest(depth - 1, value)])

describe('EventBatch', () => {
  it('joins consecutive events of one name', () => {
    const { frames, outbox, add } = setUp()
    for (const payload of [1, { a: null }, 'x']) add('e', payload)
    add('other', 2)
    outbox.flush()
    expect(JSON.parse(frames[0] as string)).toEqual([
      { jsonrpc: '2.0', method: '$/emit', params: { event: 'e', payloads: [1, { a: null }, 'x'] } },
      { jsonrpc: '2.0', method: 'plugin:event|emit', params: { event: 'other', payload: 2 } },
    ])
  })

  it('counts each event of a frame', () => {
    const { counts, outbox, add } = setUp()
    for (const event of ['a', 'a', 'a', 'b', 'a']) add(event, 1)
    outbox.flush()
    add('b', 1)
    outbox.flush()
    expect(counts).toEqual([5, 1])
  })

  it('throws for a payload that is too large or too deep', () =>
    rows(['x'.repeat(17 * 1024 * 1024), nest(70, 'x'.repeat(70_000)), 1n, JSON.parse('{"__proto__":1}') as unknown])(
      payload => expect(() => EventBatch.encode('e', payload)).toThrow(),
    ))

  it('does not encode an event without a payload, or with a long name', () => {
    expect(EventBatch.encode('e', undefined)).toBeUndefined()
    expect(EventBatch.encode('e'.repeat(256), 1)).toBeDefined()
    expect(EventBatch.encode('e'.repeat(257), 1)).toBeUndefined()
  })

  it('encodes a large event as a message of its own', () => {
    const payload = 'x'.repeat(20_000)
    const message = EventBatch.encode('e', payload) as string
    expect(JSON.parse(message)).toEqual({
      jsonrpc: '2.0',
      method: 'plugin:event|emit',
      params: { event: 'e', payload },
    })
  })

  it('does not make a deep payload part of a message whose depth is limited', () => {
    const { frames, outbox, add } = setUp()
    // Each is 45 KB of UTF-8.
    const payload = nest(70, '€'.repeat(15_000))
    add('e', payload)
    add('e', payload)
    outbox.flush()
    const reader = new BatchReader()
    const messages = frames.flatMap(body => reader.read(FRAME_KIND.json, Buffer.from(body as string)))
    expect(messages.map(message => (message as { params: { payload: unknown } }).params.payload)).toEqual([
      payload,
      payload,
    ])
  })
})
