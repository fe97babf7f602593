import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import type { CallTrace, EventTrace } from '@sallyport/protocol/internal/rpc'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { crossed, failure, notify, result, setUp } from '../../test/peer.js'
import * as featuresInBrowser from './node-features.browser.js'
import * as features from './node-features.js'

const { eventsReceived, eventsSent, invokes } = features

it('a browser has none of the features', () => {
  const absent = featuresInBrowser satisfies typeof features
  expect({ ...absent }).toEqual(Object.fromEntries(Object.keys(features).map(name => [name, null])))
})

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
const toChannel = (event: string): string => `tracing:sallyport.invoke:${event}`

type Published = [name: string, trace: Partial<CallTrace & EventTrace>]

const published: Published[] = []
const names = (): string[] => published.map(([name]) => name)

const listeners: [name: string, listener: (trace: unknown) => void][] = [
  ...EVENTS.map(name => [toChannel(name), name]),
  ['sallyport:client.event:sent', 'sent'],
  ['sallyport:client.event:received', 'received'],
].map(([channel, name]) => [channel!, trace => published.push([name!, { ...(trace as CallTrace) }])])

const listen = (): void => listeners.forEach(([channel, listener]) => subscribe(channel, listener))
const unlisten = (): void => listeners.forEach(([channel, listener]) => void unsubscribe(channel, listener))

beforeEach(() => void published.splice(0))
afterEach(unlisten)

const greet = { label: 'main', command: 'greet', id: 1, codec: 'json', stream: false }
const continued = { ...greet, async: true }

describe('a call is published', () => {
  beforeEach(listen)

  it('with start, end, asyncStart and asyncEnd when it is answered', async () => {
    const { client, peer } = setUp()
    const answer = client.invoke('greet', { name: 'World' })
    expect(published).toEqual([
      ['start', greet],
      ['end', continued],
    ])
    await crossed()
    peer.send(result(1, 'Hello'))
    expect(await answer).toBe('Hello')
    expect(published.slice(2)).toEqual([
      ['asyncStart', continued],
      ['asyncEnd', continued],
    ])
  })

  it('with only the code of its error', async () => {
    const { client, peer } = setUp('msgpack')
    const answer = client.invoke('greet', {})
    await crossed()
    peer.send(failure(1, -32000, 'a secret', { secret: 1 }))
    await expect(answer).rejects.toMatchObject({ reason: 'CommandFailed', data: { secret: 1 } })
    expect(names()).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    const failed = { ...continued, codec: 'msgpack', error: { code: -32000, reason: 'CommandFailed' } }
    expect(published[0]![1]).not.toHaveProperty('error')
    expect(published.slice(2).map(([, trace]) => trace)).toEqual([failed, failed, failed])
  })

  it('when its signal or its deadline ends it', async () => {
    const { client } = setUp()
    const controller = new AbortController()
    const cancelled = client.invoke('greet', {}, { signal: controller.signal })
    const late = client.invoke('greet', {}, { timeout: 1 })
    controller.abort()
    await expect(cancelled).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect(late).rejects.toMatchObject({ reason: 'Timeout' })
    const of = (id: number): string[] => published.filter(([, trace]) => trace.id === id).map(([name]) => name)
    expect([of(1), of(2)]).toEqual(Array(2).fill(['start', 'end', 'error', 'asyncStart', 'asyncEnd']))
    expect(published.filter(([name]) => name === 'error').map(([, { error }]) => error)).toEqual([
      { code: -32800, reason: 'Cancelled' },
      { code: -32003, reason: 'Timeout' },
    ])
  })

  it('when it cannot be made', async () => {
    const { client, peer } = setUp()
    await expect(client.invoke('greet', { n: 1n })).rejects.toMatchObject({ reason: 'InvalidParams' })
    expect(names()).toEqual(['start', 'error', 'end'])
    expect(published[2]![1].async).toBeUndefined()
    peer.close()
    await crossed()
    await expect(client.invoke('greet')).rejects.toMatchObject({ reason: 'Disconnected' })
    expect(names().slice(3)).toEqual(['start', 'error', 'end'])
    expect(published[5]![1].error).toEqual({ code: -32005, reason: 'Disconnected' })
  })

  it('until its stream ends', async () => {
    const { client, peer } = setUp()
    const next = client.stream('count').next()
    await crossed()
    const id = peer.last.id
    expect(published).toEqual([
      ['start', { ...greet, command: 'count', id, stream: true }],
      ['end', { ...continued, command: 'count', id, stream: true }],
    ])
    peer.send(result(id, null))
    expect(await next).toEqual({ done: true, value: undefined })
    expect(names().slice(2)).toEqual(['asyncStart', 'asyncEnd'])
  })

  it('with one object that has the id of its message', async () => {
    const { client, peer } = setUp()
    const traces = new Set<unknown>()
    const keep = (trace: unknown): void => void traces.add(trace)
    for (const name of EVENTS) subscribe(toChannel(name), keep)
    const args = { toJSON: () => (void client.invoke('inner'), {}) }
    const outer = client.invoke('outer', args as Record<string, unknown>)
    await crossed()
    peer.send(result(1, 1), result(2, 2))
    await outer
    for (const name of EVENTS) unsubscribe(toChannel(name), keep)
    expect([...traces]).toMatchObject([{ command: 'outer' }, { command: 'inner' }])
    const sent = peer.received.map(({ id, method }) => [method, id])
    expect(
      Object.fromEntries([...traces].map(trace => [(trace as CallTrace).command, (trace as CallTrace).id])),
    ).toEqual(Object.fromEntries(sent))
  })
})

describe('events are published', () => {
  beforeEach(listen)
  const event = { label: 'main', event: 'e', codec: 'json' }

  it('when they were sent', async () => {
    const { client } = setUp()
    await client.emit('e', { secret: 1 })
    await client.emitTo('other', 'e', 'secret')
    await expect(client.emit('e', 1n)).rejects.toThrow()
    expect(published).toEqual([
      ['sent', event],
      ['sent', event],
    ])
  })

  it('before they are handled, individually for a batch', async () => {
    const { client, peer } = setUp()
    const listening = client.listen('e', ({ payload }) => published.push([`handled ${String(payload)}`, {}]))
    await crossed()
    peer.send(result(peer.last.id, 5))
    await listening
    peer.send(notify('$/event', { event: 'e', ids: [5], payload: 'one' }))
    peer.send(notify('$/event', { event: 'e', ids: [5], payloads: ['two', 'three'] }))
    await crossed()
    expect(names()).toEqual(['received', 'handled one', 'received', 'received', 'handled two', 'handled three'])
    expect(published[0]![1]).toEqual(event)
  })
})

it('no arguments, results or payloads are published', async () => {
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

describe('without subscribers', () => {
  it('nothing is published', async () => {
    const spies = [
      vi.spyOn(invokes!.start, 'runStores'),
      ...EVENTS.map(name => vi.spyOn(invokes![name], 'publish')),
      vi.spyOn(eventsSent!, 'publish'),
      vi.spyOn(eventsReceived!, 'publish'),
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
    // `start` is published with `runStores`.
    expect(calls()).toEqual([1, 0, 1, 1, 1, 1, 1, 1])
    vi.restoreAllMocks()
  })

  it('when a call begins, its end is not published', async () => {
    const { client, peer } = setUp()
    const answer = client.invoke('greet')
    listen()
    await crossed()
    peer.send(result(1, 'Hello'))
    await answer
    expect(published).toEqual([])
  })
})
