import { describe, expect, it } from 'vitest'
import { crossed, notify, setUp } from '../../test/peer.js'

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
