// Notifications of several events: the reader of core and of a gate replaces each by the events in it.
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { MAX_BATCH, MAX_BATCHED_EVENT_LENGTH } from '../wire/limits.js'
import { FRAME_KIND } from '../wire/messages.js'
import { BatchReader } from './codecs.js'

const read = (messages: unknown, trusted = false): readonly unknown[] =>
  new BatchReader(trusted).read(FRAME_KIND.json, JSON.stringify(messages))
const several = (event: unknown, payloads: unknown): object => ({
  jsonrpc: '2.0',
  method: '$/emit',
  params: { event, payloads },
})
const single = (event: unknown, payload: unknown): object => ({
  jsonrpc: '2.0',
  method: 'plugin:event|emit',
  params: { event, payload },
})

describe('a notification of several events', () => {
  it('is replaced by its events, in order', () => {
    const call = { jsonrpc: '2.0', id: 1, method: 'f' }
    expect(read([several('a', [1, null, [2]]), call, several('b', []), several('', ['x'])])).toEqual([
      single('a', 1),
      single('a', null),
      single('a', [2]),
      call,
      single('', 'x'),
    ])
  })

  it('is a message like any other if it is malformed, or comes from core', () => {
    const malformed = [
      several('a', 'text'),
      several('a', { length: 2 }),
      { ...several('a', [1]), id: 1 },
      several({ toString: 'a' }, [1]),
      several('a'.repeat(MAX_BATCHED_EVENT_LENGTH + 1), [1]),
      { jsonrpc: '2.0', method: '$/emit' },
      { jsonrpc: '2.0', method: '$/emit', params: null },
      null,
    ]
    expect(read(malformed)).toEqual(malformed)
    expect(read([several('a', [1])], true)).toEqual([several('a', [1])])
  })

  it('has no more events than a batch can have messages', () => {
    const payloads = Array.from({ length: MAX_BATCH }, () => 0)
    expect(read(several('a', payloads))).toHaveLength(MAX_BATCH)
    for (const messages of [several('a', [...payloads, 0]), [several('a', payloads), several('b', [1])]]) {
      expect(() => read(messages)).toThrow(expect.objectContaining({ reason: 'InvalidRequest' }))
    }
  })
})

it('a frame has no more messages than the limit, in each codec', () =>
  rows([
    ['JSON', FRAME_KIND.json, (count: number) => new TextEncoder().encode(`[${'1,'.repeat(count - 1)}1]`)],
    [
      'MessagePack',
      FRAME_KIND.msgpack,
      (count: number) =>
        Uint8Array.from([0xdd, 0, count >> 16, (count >> 8) & 0xff, count & 0xff, ...Array(count).fill(1)]),
    ],
  ])((_codec, kind, toBody) => {
    expect(new BatchReader().read(kind, toBody(MAX_BATCH))).toHaveLength(MAX_BATCH)
    expect(() => new BatchReader().read(kind, toBody(MAX_BATCH + 1))).toThrow(
      expect.objectContaining({ reason: 'InvalidRequest' }),
    )
  }))
