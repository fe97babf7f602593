import type { BusEvent, EventTarget } from '@sallyport/protocol/internal/message'
import type { Link } from '@sallyport/protocol/internal/wire'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { crossed, notify, result, setUp } from '../../test/peer.js'
import { uncaught } from '../../test/uncaught.js'
import { settleListeners } from '../internal.js'
import { Client } from './client.js'

const event = (name: string, ids: unknown, payload: unknown = null): unknown =>
  notify('$/event', { event: name, ids, payload })

describe('listen', () => {
  it('registers with core, and resolves with a function that removes the listener', async () => {
    const { client, peer } = setUp()
    const listening = client.listen('e', () => {})
    peer.send(result(1, 42))
    const unlisten = await listening
    await crossed()
    expect(peer.received).toEqual([
      { jsonrpc: '2.0', id: 1, method: 'plugin:event|listen', params: { event: 'e', target: { kind: 'Any' } } },
    ])
    unlisten()
    unlisten()
    await crossed()
    expect(peer.received.slice(1)).toEqual([
      { jsonrpc: '2.0', id: 2, method: 'plugin:event|unlisten', params: { event: 'e', eventId: 42 } },
    ])
  })

  it('receives events of the same frame as the response, and of the next frame', async () => {
    const { client, peer } = setUp()
    const heard: unknown[] = []
    void client.listen('e', ({ payload }) => void heard.push(payload))
    await crossed()
    peer.send(event('e', [7], 'too early'), result(1, 7), event('e', [7], 1), event('e', [7], 2))
    peer.send(event('e', [7], 3))
    await crossed()
    expect(heard).toEqual([1, 2, 3])
  })

  it('receives a batch of events in order', async () => {
    const { client, peer } = setUp()
    const heard: unknown[] = []
    for (let i = 0; i < 2; i++) void client.listen('e', ({ id, payload }) => void heard.push([id, payload]))
    peer.send(result(1, 7), result(2, 8), notify('$/event', { event: 'e', ids: [7, 8], payloads: ['a', ['b']] }))
    await crossed()
    expect(heard).toEqual([
      [7, 'a'],
      [8, 'a'],
      [7, ['b']],
      [8, ['b']],
    ])
  })

  it('passes each handler its own event with its own id', async () => {
    const { client, peer } = setUp()
    const heard: BusEvent[] = []
    for (let i = 0; i < 3; i++) void client.listen('e', received => void heard.push(received))
    peer.send(result(1, 0), result(2, 5), result(3, 9), event('e', [9, 0, 4, 5], { a: 1 }))
    await crossed()
    expect(heard).toEqual([9, 0, 5].map(id => ({ event: 'e', id, payload: { a: 1 } })))
    expect(new Set(heard).size).toBe(3)
  })

  it('registers for any target', () =>
    rows([
      ['main', { kind: 'AnyLabel', label: 'main' }],
      [{ kind: 'App' }, { kind: 'App' }],
      [
        { kind: 'Window', label: 'w' },
        { kind: 'Window', label: 'w' },
      ],
    ])(async (target, sent) => {
      const { client, peer } = setUp()
      void client.listen('e', () => {}, { target })
      await crossed()
      expect(peer.last.params).toEqual({ event: 'e', target: sent })
    }))

  it('receives nothing after it was removed, not even events in flight', async () => {
    const { client, peer } = setUp()
    const heard: unknown[] = []
    const listening = client.listen('e', ({ payload }) => void heard.push(payload))
    peer.send(result(1, 7), event('e', [7], 1))
    const unlisten = await listening
    peer.send(event('e', [7], 2))
    unlisten()
    await crossed()
    expect(heard).toEqual([1])
  })

  it('is removed from core if it was abandoned before core has answered', async () => {
    const { client, peer } = setUp()
    const heard: unknown[] = []
    const controller = new AbortController()
    const listening = client.listen('e', ({ payload }) => void heard.push(payload), { signal: controller.signal })
    await crossed()
    controller.abort()
    await expect(listening).rejects.toMatchObject({ reason: 'Cancelled' })
    peer.send(result(1, 7), event('e', [7]))
    await crossed()
    expect([peer.methods, heard]).toEqual([['plugin:event|listen', 'plugin:event|unlisten'], []])
  })

  it('rejects and receives nothing when core refuses', async () => {
    const { client, peer } = setUp()
    const listening = client.listen('e', () => {})
    peer.send({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32001, message: 'Command plugin:event|listen not allowed by ACL' },
    })
    await expect(listening).rejects.toMatchObject({ reason: 'Denied' })
  })

  it('passes events to other handlers, and handles the rest of the frame, when a handler throws', async () => {
    const { client, peer } = setUp()
    const heard: unknown[] = []
    void client.listen('e', () => {
      throw new Error('mine')
    })
    void client.listen('e', ({ payload }) => void heard.push(payload))
    const answer = client.invoke('x')
    const errors = await uncaught(async () => {
      peer.send(result(1, 1), result(2, 2), event('e', [1, 2], 'a'), result(3, 'fine'))
      expect(await answer).toBe('fine')
    })
    expect(heard).toEqual(['a'])
    expect(errors).toEqual([new Error('mine')])
  })

  it('lets a handler remove itself and others during an event', async () => {
    const { client, peer } = setUp()
    const heard: string[] = []
    const first = client.listen('e', async () => {
      heard.push('first')
      ;(await second)()
    })
    const second = client.listen('e', () => void heard.push('second'))
    peer.send(result(1, 1), result(2, 2))
    await Promise.all([first, second])
    peer.send(event('e', [1, 2]))
    await crossed()
    peer.send(event('e', [1, 2]))
    await crossed()
    expect(heard).toEqual(['first', 'second', 'first'])
  })
})

describe('once', () => {
  it('receives one of several events of a frame', async () => {
    const { client, peer } = setUp()
    const heard: unknown[] = []
    const listening = client.once('e', ({ payload }) => void heard.push(payload))
    peer.send(result(1, 3), event('e', [3], 1), event('e', [3], 2))
    const unlisten = await listening
    await crossed()
    expect(heard).toEqual([1])
    expect(peer.methods).toEqual(['plugin:event|listen', 'plugin:event|unlisten'])
    unlisten()
    await crossed()
    expect(peer.methods).toHaveLength(2)
  })

  it('is removed before its handler runs, and does not receive events of the handler', async () => {
    const { client, peer } = setUp()
    let heard = 0
    void client.once('e', () => {
      heard++
      peer.send(event('e', [3]))
      throw new Error('mine')
    })
    const errors = await uncaught(async () => {
      peer.send(result(1, 3), event('e', [3]), event('e', [3]))
      await crossed()
    })
    expect([heard, errors.length]).toEqual([1, 1])
  })

  it('receives nothing when it was removed before an event', async () => {
    const { client, peer } = setUp()
    let heard = 0
    const listening = client.once('e', () => void heard++)
    peer.send(result(1, 3))
    const unlisten = await listening
    unlisten()
    peer.send(event('e', [3]))
    await crossed()
    expect([heard, peer.methods.length]).toEqual([0, 2])
  })
})

describe('once without a handler', () => {
  it('resolves with the first event, and removes its listener', async () => {
    const { client, peer } = setUp()
    const received = client.once('e', { target: 'main', timeout: 60_000 })
    peer.send(result(1, 3), event('e', [3], 1), event('e', [3], 2))
    expect(await received).toEqual({ event: 'e', id: 3, payload: 1 })
    await crossed()
    expect(peer.received).toMatchObject([
      { method: 'plugin:event|listen', params: { target: { kind: 'AnyLabel', label: 'main' } } },
      { method: 'plugin:event|unlisten' },
    ])
  })

  it('rejects at its deadline, and removes its listener', async () => {
    const { client, peer } = setUp()
    peer.send(result(1, 3))
    const message = 'waiting for event "e" took longer than 1 ms'
    await expect(client.once('e', { timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout', message })
    await crossed()
    expect(peer.methods).toEqual(['plugin:event|listen', 'plugin:event|unlisten'])
  })

  it('rejects when its signal aborts, even before core has answered', async () => {
    const { client, peer } = setUp()
    const abort = new AbortController()
    const received = client.once('e', { signal: abort.signal })
    abort.abort()
    await expect(received).rejects.toMatchObject({ reason: 'Cancelled' })
    peer.send(result(1, 3))
    await crossed()
    expect(peer.methods).toEqual(['plugin:event|listen', 'plugin:event|unlisten'])
    await expect(client.once('e', { signal: abort.signal })).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect(client.once('e', { timeout: -1 })).rejects.toMatchObject({ reason: 'InvalidParams' })
  })

  it('rejects when core refuses, and when the client closes, without an unhandled rejection', async () => {
    const { client, peer } = setUp()
    const refused = client.once('e')
    peer.send({ jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'not allowed' } })
    await expect(refused).rejects.toMatchObject({ reason: 'Denied' })
    const received = client.once('e')
    peer.send(result(2, 3))
    await crossed()
    const errors = await uncaught(async () => {
      await client.close()
      void client.listen('e', () => {})
      void client.once('e')
      await crossed()
    })
    expect(errors).toEqual([])
    await expect(received).rejects.toMatchObject({ reason: 'Disconnected' })
  })
})

describe('emit', () => {
  it('sends a notification without waiting for a response', async () => {
    const { client, peer } = setUp()
    await client.emit('e', { a: 1 })
    await client.emit('none')
    await client.emitTo('main', 'e', 1)
    await client.emitTo({ kind: 'App' }, 'e')
    await crossed()
    expect(peer.received).toEqual([
      notify('plugin:event|emit', { event: 'e', payload: { a: 1 } }),
      notify('plugin:event|emit', { event: 'none' }),
      notify('plugin:event|emit_to', { target: { kind: 'AnyLabel', label: 'main' }, event: 'e', payload: 1 }),
      notify('plugin:event|emit_to', { target: { kind: 'App' }, event: 'e' }),
    ])
  })
})

describe('a client refuses with InvalidParams', () => {
  it('when the event is not a name', () =>
    rows(['a b', 'a.b', 'e\n', undefined, 5, null])(async name => {
      const { client, peer } = setUp()
      const wrong = { reason: 'InvalidParams', message: expect.stringContaining('Event name must include only') }
      await expect(client.emit(name as string)).rejects.toMatchObject(wrong)
      await expect(client.emitTo('main', name as string)).rejects.toMatchObject(wrong)
      expect(() => client.listen(name as string, () => {})).toThrow(expect.objectContaining(wrong))
      expect(() => client.once(name as string, () => {})).toThrow(expect.objectContaining(wrong))
      expect(() => client.once(name as string)).toThrow(expect.objectContaining(wrong))
      await crossed()
      expect(peer.received).toEqual([])
    }))

  it('when the target is invalid', () =>
    rows([5, {}, { kind: 'Unknown' }, { kind: 'Window' }])(async target => {
      const { client, peer } = setUp()
      const wrong = { reason: 'InvalidParams', message: expect.stringContaining('An event target is a label') }
      await expect(client.emitTo(target as EventTarget, 'e')).rejects.toMatchObject(wrong)
      expect(() => client.listen('e', () => {}, { target: target as EventTarget })).toThrow(
        expect.objectContaining(wrong),
      )
      await crossed()
      expect(peer.received).toEqual([])
    }))

  it('when the handler is not a function', () =>
    rows([undefined, null, 'log', {}])(async handler => {
      const { client, peer } = setUp()
      const wrong = {
        reason: 'InvalidParams',
        message: `The handler of event "e" must be a function: got ${typeof handler}`,
      }
      expect(() => client.listen('e', handler as () => void)).toThrow(expect.objectContaining(wrong))
      expect(() => client.once('e', handler as () => void, {})).toThrow(expect.objectContaining(wrong))
      await crossed()
      expect(peer.received).toEqual([])
    }))

  it('when the only argument of once besides the event is not a function', () =>
    rows(['log', 5])(handler => {
      const { client } = setUp()
      const message = `The handler of event "e" must be a function: got ${typeof handler}`
      expect(() => client.once('e', handler as unknown as () => void)).toThrow(
        expect.objectContaining({ reason: 'InvalidParams', message }),
      )
    }))
})

describe('the promise of emit', () => {
  it('resolves once the link has room for more', async () => {
    let makeRoom!: () => void
    let room: Promise<void> | undefined = new Promise<void>(resolve => (makeRoom = resolve))
    const link: Link = { queued: 0, room: () => room, send() {}, receive() {}, pause() {}, resume() {}, close() {} }
    const client = new Client(link, { label: 'main' })
    let emitted = 0
    const emits = [client.emit('e'), client.emitTo('main', 'e')].map(emit => emit.then(() => emitted++))
    await crossed()
    expect(emitted).toBe(0)
    room = undefined
    makeRoom()
    await Promise.all(emits)
  })
})

describe('settleListeners', () => {
  it('resolves after the events that core sends in later frames than its answer', async () => {
    const { client, peer } = setUp()
    const order: unknown[] = []
    void client.listen('e', ({ payload }) => void order.push(payload))
    void settleListeners(client).then(added => order.push({ added }))
    await crossed()
    expect(peer.methods).toEqual(['plugin:event|listen', '$/sync'])
    peer.send(result(1, 7))
    await crossed()
    peer.send(event('e', [7], 'kept'))
    await crossed()
    expect(order).toEqual(['kept'])
    peer.send(result(2, null))
    await crossed()
    expect(order).toEqual(['kept', { added: true }])
  })

  it('waits for the events of a listener that core has answered before', async () => {
    const { client, peer } = setUp()
    void client.listen('e', () => {})
    peer.send(result(1, 7))
    await crossed()
    let added: boolean | undefined
    void settleListeners(client).then(value => (added = value))
    await crossed()
    expect(added).toBeUndefined()
    peer.send(result(2, null))
    await crossed()
    expect(added).toBe(true)
    expect(await settleListeners(client)).toBe(false)
  })

  it('resolves at once without new listeners, and when the link closes', async () => {
    const { client, peer } = setUp()
    expect(await settleListeners(client)).toBe(false)
    client.listen('e', () => {}).catch(() => {})
    const settled = settleListeners(client)
    peer.close()
    expect(await settled).toBe(true)
  })
})

describe('batches of events', () => {
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
      const error = await Promise.resolve(client.emit('e'.repeat(17 * 1024 * 1024), 1)).catch(
        (thrown: unknown) => thrown,
      )
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
})
