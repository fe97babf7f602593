// Actors in core over the bus: the state that a frontend follows, the events that it sends, and the end of either side.
import { isBusError } from '@sallyport/protocol/internal'
import { remoteActor, type RemoteActor } from '@sallyport/frontend/xstate'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Bus, Client } from '../../src/index.js'
import { refused, startActors } from '../support/actors.ts'

let bus: Bus
let client: Client

/** Starts a bus before each test of a `describe`. Tests of load and of ends have core in a worker. */
const connectBeforeEach = (core: 'worker' | 'in this thread'): void =>
  beforeEach(async () => {
    bus = await startActors(core === 'in this thread')
    client = await bus.connect('main')
  })
afterEach(() => bus.close())

const following = async <View>(name: string, of = client) => {
  const actor = await remoteActor<RemoteActor<View, { type: string; by?: number }>>(name, { client: of })
  const views: View[] = []
  const ends: unknown[] = []
  actor.subscribe({
    next: view => views.push(view),
    error: error => ends.push(error),
    complete: () => ends.push('complete'),
  })
  return { actor, views, ends }
}

describe('a machine in core', () => {
  connectBeforeEach('in this thread')

  test('starts a follower with the current state, and handles its events', async () => {
    const { actor, views } = await following('light')
    expect(actor.getSnapshot()).toEqual({ status: 'active', value: 'green', tags: ['go'] })
    await actor.send({ type: 'NEXT' })
    await expect.poll(() => views).toEqual([{ status: 'active', value: 'yellow', tags: [] }])
    expect(actor.getSnapshot()).toBe(views[0])
    const late = await following('light')
    expect(late.actor.getSnapshot()).toEqual(views[0])
    expect(late.views).toEqual([])
  })

  test('reaches a subscriber until it unsubscribes', async () => {
    const { actor, views } = await following<{ value: string }>('light')
    const values: string[] = []
    const { unsubscribe } = actor.subscribe(({ value }) => values.push(value))
    await actor.send({ type: 'NEXT' })
    await expect.poll(() => values).toEqual(['yellow'])
    unsubscribe()
    await actor.send({ type: 'NEXT' })
    await expect.poll(() => views).toHaveLength(2)
    expect(values).toEqual(['yellow'])
  })

  test('completes followers once it is done, also later ones, and rejects events', async () => {
    const { actor, views, ends } = await following('light')
    for (const type of ['NEXT', 'NEXT', 'OFF']) await actor.send({ type })
    await expect.poll(() => ends).toEqual(['complete'])
    expect(views.at(-1)).toEqual({ status: 'done', value: 'off', tags: [] })
    expect(await refused(actor.send({ type: 'NEXT' }))).toMatchObject({ reason: 'InvalidRequest' })
    const late = await following('light')
    expect(late.actor.getSnapshot()).toEqual(views.at(-1))
    await expect.poll(() => late.ends).toEqual(['complete'])
  })

  test('completes followers if it fails, without its error, and core keeps running', async () => {
    const { actor, views, ends } = await following('light')
    await actor.send({ type: 'BREAK' })
    await expect.poll(() => ends).toEqual(['complete'])
    expect(views).toEqual([{ status: 'error', value: 'green', tags: ['go'] }])
    expect(await refused(actor.send({ type: 'NEXT' }))).toMatchObject({ reason: 'InvalidRequest' })
    expect(await client.invoke('looks')).toBe(0)
  })
})

describe('state that leaves core', () => {
  connectBeforeEach('in this thread')

  test('is only the status for a promise', async () => {
    const { actor, ends } = await following('once')
    await expect.poll(() => ends).toEqual(['complete'])
    expect(actor.getSnapshot()).toEqual({ status: 'done', value: null, tags: [] })
  })

  test('is the selected part, and is not sent unless it has changed', async () => {
    const { actor, views } = await following<{ count: number }>('counter')
    expect(actor.getSnapshot()).toEqual({ count: 0 })
    await actor.send({ type: 'HIDE' })
    await actor.send({ type: 'ADD', by: 2 })
    await expect.poll(() => views).toEqual([{ count: 2 }])
  })

  test('is selected only while an actor is followed, once for all followers', async () => {
    await client.invoke('plugin:counter|send', { event: { type: 'ADD', by: 1 } })
    expect(await client.invoke('looks')).toBe(0)
    const both = await Promise.all([following('counter'), following('counter')])
    await client.invoke('plugin:counter|send', { event: { type: 'ADD', by: 1 } })
    for (const { views } of both) await expect.poll(() => views).toEqual([{ count: 2 }])
    expect(await client.invoke('looks')).toBe(2)
  })

  test('is not sent if select throws, and core keeps running', async () => {
    expect(await refused(remoteActor(Symbol('light') as never, { client }))).toMatchObject({ reason: 'InvalidParams' })
    const error = await refused(remoteActor('blind', { client }))
    expect(error).toMatchObject({ reason: 'CommandFailed', data: 'no view' })
    await client.invoke('plugin:blind|send', { event: { type: 'NEXT' } })
  })
})

describe('permissions', () => {
  connectBeforeEach('in this thread')

  test('exist for each actor and command; a denied event that is not awaited ends no frontend', async () => {
    const unhandled = vi.fn<() => void>()
    process.on('unhandledRejection', unhandled)
    const watcher = await bus.connect('watcher')
    const { actor } = await following('light', watcher)
    void actor.send({ type: 'NEXT' })
    expect(await refused(actor.send({ type: 'NEXT' }))).toMatchObject({ reason: 'Denied' })
    expect(await refused(remoteActor('counter', { client: watcher }))).toMatchObject({ reason: 'Denied' })
    expect(unhandled).not.toHaveBeenCalled()
    process.off('unhandledRejection', unhandled)
  })
})

describe('under load', () => {
  connectBeforeEach('worker')

  test('a frontend that subscribes 10 000 times gets 16 subscriptions, and another can still follow', async () => {
    const channels = Array.from({ length: 10_000 }, () => new client.Channel())
    const outcomes = await Promise.all(
      channels.map(channel => refused(client.invoke('plugin:light|subscribe', { channel }))),
    )
    const errors = outcomes.filter(outcome => isBusError(outcome, 'Overloaded'))
    expect(errors).toHaveLength(10_000 - 16)
    const watcher = await bus.connect('watcher')
    expect((await following('light', watcher)).actor.getSnapshot()).toMatchObject({ value: 'green' })
    for (const channel of channels) channel.close()
    await expect
      .poll(() => refused(client.invoke('plugin:light|subscribe', { channel: new client.Channel() })))
      .toBe('null')
    expect((await following('light')).actor.getSnapshot()).toMatchObject({ value: 'green' })
  })

  test('a failed subscription does not count', async () => {
    for (let i = 0; i < 17; i++) {
      const stream = client.stream('plugin:light|subscribe', { channel: new client.Channel() })
      expect(await refused(stream.next())).toMatchObject({ reason: 'InvalidRequest' })
    }
    expect((await following('light')).actor.getSnapshot()).toMatchObject({ value: 'green' })
  })

  test('a flood of events is handled in order, and followers get the newest state', async () => {
    const { actor, views } = await following<{ count: number }>('counter')
    await Promise.all(Array.from({ length: 5000 }, () => actor.send({ type: 'ADD', by: 1 })))
    await expect.poll(() => views.at(-1)).toEqual({ count: 5000 })
    expect(views.map(({ count }) => count)).toEqual(views.map(({ count }) => count).toSorted((a, b) => a - b))
  })

  test('a blocked frontend gets the newest state, not every state that it missed', async () => {
    const gate = new Int32Array(new SharedArrayBuffer(4))
    const module = new URL('../fixtures/observability/follower.mjs', import.meta.url)
    await bus.open('follower', module, { sandbox: 'none', data: gate })
    const blocked = bus.call('follower', 'block')
    await expect.poll(async () => (await following<{ count: number }>('counter')).actor.getSnapshot().count).toBe(1)
    await client.invoke('count_up', { times: 5000 })
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    await blocked
    await expect.poll(() => bus.call('follower', 'now')).toEqual({ count: 5001 })
    const views = await bus.call<number[]>('follower', 'received')
    expect(views.at(-1)).toBe(5001)
    expect(views.length).toBeLessThan(20)
  })
})

describe('the end of an actor', () => {
  connectBeforeEach('worker')

  test('stop completes it, and core drops the follower', async () => {
    const { actor, views, ends } = await following('light')
    actor.stop()
    expect(ends).toEqual(['complete'])
    await client.invoke('plugin:light|send', { event: { type: 'NEXT' } })
    await client.invoke('looks')
    expect(views).toEqual([])
  })

  test('the end of its client completes it, and later actors are rejected', async () => {
    const other = await bus.connect('watcher')
    const { ends } = await following('light', other)
    await other.close()
    await expect.poll(() => ends).toEqual(['complete'])
    expect(await refused(remoteActor('light', { client: other }))).toMatchObject({ reason: 'Disconnected' })
  })

  test('after the end of core it follows the actor of the next core', async () => {
    const { actor, views, ends } = await following('light')
    await actor.send({ type: 'NEXT' })
    await expect.poll(() => views).toMatchObject([{ value: 'yellow' }])
    await refused(client.invoke('exit'))
    expect(actor.getSnapshot()).toMatchObject({ value: 'yellow' })
    await expect.poll(() => views.at(-1)).toMatchObject({ value: 'green' })
    await actor.send({ type: 'NEXT' })
    await expect.poll(() => views.at(-1)).toMatchObject({ value: 'yellow' })
    expect(ends).toEqual([])
  })

  test('after the end of core it fails without a permission', async () => {
    const watcher = await bus.connect('watcher')
    const { ends } = await following('light', watcher)
    await bus.removeCapability('watch')
    await refused(client.invoke('exit'))
    await expect.poll(() => ends).toMatchObject([{ reason: 'Denied' }])
  })
})
