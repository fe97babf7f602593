// Actors in core, followed and sent events over the bus: what a frontend sees, what it may not send, and what becomes of it all.
import { isBusError } from '@sallyport/protocol/internal'
import { remoteActor, type RemoteActor } from '@sallyport/frontend/xstate'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Bus, Client } from '../src/index.js'
import { refused, startActors } from './actors.ts'

let bus: Bus
let client: Client

beforeEach(async () => {
  bus = await startActors()
  client = await bus.connect('main')
})
afterEach(() => bus.close())

const following = async <View>(name: string, of = client) => {
  const actor = await remoteActor<RemoteActor<View, { type: string; by?: number }>>(name, { client: of })
  const told: View[] = []
  const ends: unknown[] = []
  actor.subscribe({
    next: view => told.push(view),
    error: error => ends.push(error),
    complete: () => ends.push('complete'),
  })
  return { actor, told, ends }
}

describe('a machine', () => {
  test('is followed from its state of now on, and takes events', async () => {
    const { actor, told } = await following('light')
    expect(actor.getSnapshot()).toEqual({ status: 'active', value: 'green', tags: ['go'] })
    await actor.send({ type: 'NEXT' })
    await expect.poll(() => told).toEqual([{ status: 'active', value: 'yellow', tags: [] }])
    expect(actor.getSnapshot()).toBe(told[0])
    const late = await following('light')
    expect(late.actor.getSnapshot()).toEqual(told[0])
    expect(late.told).toEqual([])
  })

  test('is heard by who subscribes, until who does no more', async () => {
    const { actor, told } = await following<{ value: string }>('light')
    const values: string[] = []
    const { unsubscribe } = actor.subscribe(({ value }) => values.push(value))
    await actor.send({ type: 'NEXT' })
    await expect.poll(() => values).toEqual(['yellow'])
    unsubscribe()
    await actor.send({ type: 'NEXT' })
    await expect.poll(() => told).toHaveLength(2)
    expect(values).toEqual(['yellow'])
  })

  test('that has ended is complete, for later followers too, and takes no more events', async () => {
    const { actor, told, ends } = await following('light')
    for (const type of ['NEXT', 'NEXT', 'OFF']) await actor.send({ type })
    await expect.poll(() => ends).toEqual(['complete'])
    expect(told.at(-1)).toEqual({ status: 'done', value: 'off', tags: [] })
    expect(await refused(actor.send({ type: 'NEXT' }))).toMatchObject({ reason: 'InvalidRequest' })
    const late = await following('light')
    expect(late.actor.getSnapshot()).toEqual(told.at(-1))
    await expect.poll(() => late.ends).toEqual(['complete'])
  })

  test('that fails has failed, says not why, and leaves core alone', async () => {
    const { actor, told, ends } = await following('light')
    await actor.send({ type: 'BREAK' })
    await expect.poll(() => ends).toEqual(['complete'])
    expect(told).toEqual([{ status: 'error', value: 'green', tags: ['go'] }])
    expect(await refused(actor.send({ type: 'NEXT' }))).toMatchObject({ reason: 'InvalidRequest' })
    expect(await client.invoke('looks')).toBe(0)
  })
})

describe('state that leaves core', () => {
  test('is only the status of a promise', async () => {
    const { actor, ends } = await following('once')
    await expect.poll(() => ends).toEqual(['complete'])
    expect(actor.getSnapshot()).toEqual({ status: 'done', value: null, tags: [] })
  })

  test('is the selected part, and nothing if that has not changed', async () => {
    const { actor, told } = await following<{ count: number }>('counter')
    expect(actor.getSnapshot()).toEqual({ count: 0 })
    await actor.send({ type: 'HIDE' })
    await actor.send({ type: 'ADD', by: 2 })
    await expect.poll(() => told).toEqual([{ count: 2 }])
  })

  test('is looked at for those who follow, once for all of them', async () => {
    await client.invoke('plugin:counter|send', { event: { type: 'ADD', by: 1 } })
    expect(await client.invoke('looks')).toBe(0)
    const both = await Promise.all([following('counter'), following('counter')])
    await client.invoke('plugin:counter|send', { event: { type: 'ADD', by: 1 } })
    for (const { told } of both) await expect.poll(() => told).toEqual([{ count: 2 }])
    expect(await client.invoke('looks')).toBe(2)
  })

  test('is nothing where select throws, and core goes on', async () => {
    expect(await refused(remoteActor(Symbol('light') as never, { client }))).toMatchObject({ reason: 'InvalidParams' })
    const error = await refused(remoteActor('blind', { client }))
    expect(error).toMatchObject({ reason: 'CommandFailed', data: 'no view' })
    await client.invoke('plugin:blind|send', { event: { type: 'NEXT' } })
  })
})

describe('permissions', () => {
  test('each is a permission of its own; a failed event without a handler ends no frontend', async () => {
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

describe('floods and slowness', () => {
  test('a frontend that subscribes 10 000 times follows 16 times, and another still may', async () => {
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

  test('a failed request is not followed any more', async () => {
    for (let i = 0; i < 17; i++) {
      const stream = client.stream('plugin:light|subscribe', { channel: new client.Channel() })
      expect(await refused(stream.next())).toMatchObject({ reason: 'InvalidRequest' })
    }
    expect((await following('light')).actor.getSnapshot()).toMatchObject({ value: 'green' })
  })

  test('a flood of events is taken in order, and who follows is shown the newest', async () => {
    const { actor, told } = await following<{ count: number }>('counter')
    await Promise.all(Array.from({ length: 5000 }, () => actor.send({ type: 'ADD', by: 1 })))
    await expect.poll(() => told.at(-1)).toEqual({ count: 5000 })
    expect(told.map(({ count }) => count)).toEqual(told.map(({ count }) => count).toSorted((a, b) => a - b))
  })

  test('a blocked frontend gets the newest state, not all that it missed', async () => {
    const gate = new Int32Array(new SharedArrayBuffer(4))
    const module = new URL('fixtures/follower.mjs', import.meta.url)
    await bus.open('follower', module, { sandbox: 'none', data: gate })
    const blocked = bus.call('follower', 'block')
    await expect.poll(async () => (await following<{ count: number }>('counter')).actor.getSnapshot().count).toBe(1)
    await client.invoke('count_up', { times: 5000 })
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    await blocked
    await expect.poll(() => bus.call('follower', 'now')).toEqual({ count: 5001 })
    const told = await bus.call<number[]>('follower', 'told')
    expect(told.at(-1)).toBe(5001)
    expect(told.length).toBeLessThan(20)
  })
})

describe('ends', () => {
  test('stop ends the reports, and core forgets the follower', async () => {
    const { actor, told, ends } = await following('light')
    actor.stop()
    expect(ends).toEqual(['complete'])
    await client.invoke('plugin:light|send', { event: { type: 'NEXT' } })
    await client.invoke('looks')
    expect(told).toEqual([])
  })

  test('a client that closes completes, and one that is closed rejects', async () => {
    const other = await bus.connect('watcher')
    const { ends } = await following('light', other)
    await other.close()
    await expect.poll(() => ends).toEqual(['complete'])
    expect(await refused(remoteActor('light', { client: other }))).toMatchObject({ reason: 'Disconnected' })
  })

  test('a restarted core has a new actor, which is followed from then on', async () => {
    const { actor, told, ends } = await following('light')
    await actor.send({ type: 'NEXT' })
    await expect.poll(() => told).toMatchObject([{ value: 'yellow' }])
    await refused(client.invoke('exit'))
    expect(actor.getSnapshot()).toMatchObject({ value: 'yellow' })
    await expect.poll(() => told.at(-1)).toMatchObject({ value: 'green' })
    await actor.send({ type: 'NEXT' })
    await expect.poll(() => told.at(-1)).toMatchObject({ value: 'yellow' })
    expect(ends).toEqual([])
  })

  test('a follower without permission after core restarts gets an error', async () => {
    const watcher = await bus.connect('watcher')
    const { ends } = await following('light', watcher)
    await bus.removeCapability('watch')
    await refused(client.invoke('exit'))
    await expect.poll(() => ends).toMatchObject([{ reason: 'Denied' }])
  })
})
