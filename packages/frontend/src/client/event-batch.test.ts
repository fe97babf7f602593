import { type EncodedMessage, Outbox } from '@sallyport/protocol/internal'
import { describe, expect, it } from 'vitest'
import { crossed, notify, setUp } from '../../test/peer.js'
import { EventBatch } from './event-batch.js'

describe('EventBatch', () => {
  it('joins consecutive events of one name', () => {
    const frames: EncodedMessage[] = []
    const outbox = new Outbox(({ body }) => void frames.push(body))
    const batch = new EventBatch(outbox)
    for (const payload of [1, { a: null }, 'x']) expect(batch.add('e', payload)).toBe(true)
    expect(batch.add('other', 2)).toBe(true)
    outbox.flush()
    expect(JSON.parse(frames[0] as string)).toEqual([
      { jsonrpc: '2.0', method: '$/emit', params: { event: 'e', payloads: [1, { a: null }, 'x'] } },
      { jsonrpc: '2.0', method: 'plugin:event|emit', params: { event: 'other', payload: 2 } },
    ])
  })

  it.each([
    ['is too large for a frame', 'x'.repeat(17 * 1024 * 1024)],
    ['is large, and too deep', JSON.parse(`${'['.repeat(70)}"${'x'.repeat(70_000)}"${']'.repeat(70)}`) as unknown],
    ['has no text', undefined],
    ['cannot be serialized', 1n],
    ['has a key that core refuses', JSON.parse('{"__proto__":1}') as unknown],
  ])('does not take a payload that %s', (_name, payload) => {
    const frames: unknown[] = []
    const outbox = new Outbox(frame => void frames.push(frame))
    expect(new EventBatch(outbox).add('e', payload)).toBe(false)
    outbox.flush()
    expect(frames).toEqual([])
  })

  it('does not take an event with a long name', () => {
    const outbox = new Outbox(() => {})
    const batch = new EventBatch(outbox)
    expect([256, 257].map(length => batch.add('e'.repeat(length), 1))).toEqual([true, false])
  })
})

describe('the events of a client', () => {
  it('arrive in the order in which they were emitted, with other messages between them', async () => {
    const { client, peer } = setUp()
    const large = 'x'.repeat(20_000)
    for (const payload of [1, 2, large, 3, undefined, 4]) void client.emit('e', payload)
    void client.emit('f', 5)
    void client.emitTo({ kind: 'Any' }, 'f', 6)
    void client.emit('f', 7)
    client.invoke('call').catch(() => {})
    void client.emit('f', 8)
    await crossed()
    const emit = (event: string, payload?: unknown) => notify('plugin:event|emit', { event, payload })
    expect(peer.received).toEqual([
      ...[1, 2, large, 3].map(payload => emit('e', payload)),
      notify('plugin:event|emit', { event: 'e' }),
      emit('e', 4),
      emit('f', 5),
      notify('plugin:event|emit_to', { target: { kind: 'Any' }, event: 'f', payload: 6 }),
      emit('f', 7),
      { jsonrpc: '2.0', id: 1, method: 'call' },
      emit('f', 8),
    ])
  })

  it('do not close the connection if their name is too long for a frame', async () => {
    const { client, peer } = setUp()
    const error = await Promise.resolve(client.emit('e'.repeat(17 * 1024 * 1024), 1)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ reason: 'InvalidParams' })
    void client.emit('f', 2)
    await crossed()
    expect(peer.received).toEqual([notify('plugin:event|emit', { event: 'f', payload: 2 })])
  })

  it('are encoded once, also if they are large', async () => {
    const { client, peer } = setUp()
    const text = 'x'.repeat(20_000)
    let times = 0
    void client.emit('e', { toJSON: () => `${++times}${text}` })
    await crossed()
    expect([times, peer.received]).toEqual([1, [notify('plugin:event|emit', { event: 'e', payload: `1${text}` })]])
  })

  it('have the values of the time when they were emitted', async () => {
    const { client, peer } = setUp()
    const payload = { n: 0 }
    for (; payload.n < 200; payload.n++) void client.emit('e', payload)
    await crossed()
    expect(peer.received.map(({ params }) => params.payload.n)).toEqual(Array.from({ length: 200 }, (_, at) => at))
  })
})
