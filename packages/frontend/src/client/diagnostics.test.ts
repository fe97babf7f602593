// What diagnostics channels tell of a client's calls and events: in which order, and nothing of what they carry.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import type { CallTrace, EventTrace } from '@sallyport/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { crossed, failure, notify, result, setUp } from '../../test/peer.js'
import { eventsReceived, eventsSent, invokes } from './diagnostics.js'

const HAPPENINGS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
const name = (happening: string): string => `tracing:sallyport.invoke:${happening}`

type Told = [happening: string, trace: Partial<CallTrace & EventTrace>]

const told: Told[] = []
const happenings = (): string[] => told.map(([happening]) => happening)

const listeners: [name: string, listener: (trace: unknown) => void][] = [
  ...HAPPENINGS.map(happening => [name(happening), happening]),
  ['sallyport:client.event:sent', 'sent'],
  ['sallyport:client.event:received', 'received'],
].map(([channel, happening]) => [channel!, trace => told.push([happening!, { ...(trace as CallTrace) }])])

const listen = (): void => listeners.forEach(([channel, listener]) => subscribe(channel, listener))
const unlisten = (): void => listeners.forEach(([channel, listener]) => void unsubscribe(channel, listener))

beforeEach(() => void told.splice(0))
afterEach(unlisten)

const greet = { label: 'main', command: 'greet', id: 1, codec: 'json', stream: false }
const goesOn = { ...greet, async: true }

describe('a call', () => {
  beforeEach(listen)

  it('that is answered', async () => {
    const { client, peer } = setUp()
    const answer = client.invoke('greet', { name: 'World' })
    expect(told).toEqual([
      ['start', greet],
      ['end', goesOn],
    ])
    await crossed()
    peer.send(result(1, 'Hello'))
    expect(await answer).toBe('Hello')
    expect(told.slice(2)).toEqual([
      ['asyncStart', goesOn],
      ['asyncEnd', goesOn],
    ])
  })

  it('that fails: its code and no more', async () => {
    const { client, peer } = setUp('msgpack')
    const answer = client.invoke('greet', {})
    await crossed()
    peer.send(failure(1, -32000, 'a secret', { secret: 1 }))
    await expect(answer).rejects.toMatchObject({ reason: 'CommandFailed', data: { secret: 1 } })
    expect(happenings()).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    const failed = { ...goesOn, codec: 'msgpack', error: { code: -32000, reason: 'CommandFailed' } }
    expect(told[0]![1]).not.toHaveProperty('error')
    expect(told.slice(2).map(([, trace]) => trace)).toEqual([failed, failed, failed])
  })

  it('that is given up, by its signal or its deadline', async () => {
    const { client } = setUp()
    const controller = new AbortController()
    const cancelled = client.invoke('greet', {}, { signal: controller.signal })
    const late = client.invoke('greet', {}, { timeout: 1 })
    controller.abort()
    await expect(cancelled).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect(late).rejects.toMatchObject({ reason: 'Timeout' })
    const of = (id: number): string[] => told.filter(([, trace]) => trace.id === id).map(([happening]) => happening)
    expect([of(1), of(2)]).toEqual(Array(2).fill(['start', 'end', 'error', 'asyncStart', 'asyncEnd']))
    expect(told.filter(([happening]) => happening === 'error').map(([, { error }]) => error)).toEqual([
      { code: -32800, reason: 'Cancelled' },
      { code: -32003, reason: 'Timeout' },
    ])
  })

  it('that can’t be made', async () => {
    const { client, peer } = setUp()
    await expect(client.invoke('greet', { n: 1n })).rejects.toMatchObject({ reason: 'InvalidParams' })
    expect(happenings()).toEqual(['start', 'error', 'end'])
    expect(told[2]![1].async).toBeUndefined()
    peer.close()
    await crossed()
    await expect(client.invoke('greet')).rejects.toMatchObject({ reason: 'Disconnected' })
    expect(happenings().slice(3)).toEqual(['start', 'error', 'end'])
    expect(told[5]![1].error).toEqual({ code: -32005, reason: 'Disconnected' })
  })

  it('of a stream lasts as long as that', async () => {
    const { client, peer } = setUp()
    const next = client.stream('count').next()
    await crossed()
    const id = peer.last.id
    expect(told).toEqual([
      ['start', { ...greet, command: 'count', id, stream: true }],
      ['end', { ...goesOn, command: 'count', id, stream: true }],
    ])
    peer.send(result(id, null))
    expect(await next).toEqual({ done: true, value: undefined })
    expect(happenings().slice(2)).toEqual(['asyncStart', 'asyncEnd'])
  })

  it('is one object from its start to its end, and has the id of its message', async () => {
    const { client, peer } = setUp()
    const traces = new Set<unknown>()
    const keep = (trace: unknown): void => void traces.add(trace)
    for (const happening of HAPPENINGS) subscribe(name(happening), keep)
    const args = { toJSON: () => (void client.invoke('inner'), {}) }
    const outer = client.invoke('outer', args as Record<string, unknown>)
    await crossed()
    peer.send(result(1, 1), result(2, 2))
    await outer
    for (const happening of HAPPENINGS) unsubscribe(name(happening), keep)
    expect([...traces]).toMatchObject([{ command: 'outer' }, { command: 'inner' }])
    const sent = peer.received.map(({ id, method }) => [method, id])
    expect(
      Object.fromEntries([...traces].map(trace => [(trace as CallTrace).command, (trace as CallTrace).id])),
    ).toEqual(Object.fromEntries(sent))
  })
})

describe('events', () => {
  beforeEach(listen)
  const event = { label: 'main', event: 'e', codec: 'json' }

  it('that are sent, once they are', async () => {
    const { client } = setUp()
    await client.emit('e', { secret: 1 })
    await client.emitTo('other', 'e', 'secret')
    await expect(client.emit('e', 1n)).rejects.toThrow()
    expect(told).toEqual([
      ['sent', event],
      ['sent', event],
    ])
  })

  it('that are received, before they are handled, each of a run', async () => {
    const { client, peer } = setUp()
    const listening = client.listen('e', ({ payload }) => told.push([`handled ${String(payload)}`, {}]))
    await crossed()
    peer.send(result(peer.last.id, 5))
    await listening
    peer.send(notify('$/event', { event: 'e', ids: [5], payload: 'one' }))
    peer.send(notify('$/event', { event: 'e', ids: [5], payloads: ['two', 'three'] }))
    await crossed()
    expect(happenings()).toEqual(['received', 'handled one', 'received', 'received', 'handled two', 'handled three'])
    expect(told[0]![1]).toEqual(event)
  })
})

it('nothing that was carried is in what is told', async () => {
  const kept: unknown[] = []
  const keep = (trace: unknown): void => void kept.push(trace)
  for (const [channel] of listeners) subscribe(channel, keep)
  const { client, peer } = setUp()
  const calls = ['fine', 'bad'].map(command => client.invoke(command, { a: 'secret' }, { headers: { h: 'secret' } }))
  calls[1]!.catch(() => {})
  await client.emit('e', 'secret')
  await crossed()
  peer.send(result(1, 'secret'), failure(2, -32001, 'secret', 'secret'))
  peer.send(notify('$/event', { event: 'e', ids: [], payload: 'secret' }))
  await Promise.allSettled(calls)
  await crossed()
  for (const [channel] of listeners) unsubscribe(channel, keep)
  expect(kept).toHaveLength(11)
  expect(inspect(kept, { depth: Infinity, showHidden: true })).not.toContain('secret')
})

describe('where nobody listens', () => {
  it('nothing is published', async () => {
    const spies = [
      vi.spyOn(invokes.start, 'runStores'),
      ...HAPPENINGS.map(happening => vi.spyOn(invokes[happening], 'publish')),
      vi.spyOn(eventsSent, 'publish'),
      vi.spyOn(eventsReceived, 'publish'),
    ]
    const { client, peer } = setUp()
    const act = async (): Promise<void> => {
      const failing = client.invoke('bad').catch(() => {})
      await client.emit('e')
      await crossed()
      peer.send(failure(peer.received.at(-2)!.id, -32000, ''))
      peer.send(notify('$/event', { event: 'e', ids: [], payload: 1 }))
      await failing
      await crossed()
    }
    await act()
    const calls = (): number[] => spies.map(spy => spy.mock.calls.length)
    expect(calls()).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    listen()
    await act()
    // `start` is told by `runStores`.
    expect(calls()).toEqual([1, 0, 1, 1, 1, 1, 1, 1])
    vi.restoreAllMocks()
  })

  it('as a call begins, nothing is told of its end', async () => {
    const { client, peer } = setUp()
    const answer = client.invoke('greet')
    listen()
    await crossed()
    peer.send(result(1, 'Hello'))
    await answer
    expect(told).toEqual([])
  })
})
