// The instances that a connection has sessions with, while instances join, leave and refuse.
import { BusError } from '@sallyport/protocol/internal/errors'
import { describe, expect, it } from 'vitest'
import { LoadBalancedConnection } from './load-balancer.js'
import type { OpenedSession } from './session-dialer.js'

class World {
  /** Instances that answer. */
  readonly running = new Set(['a'])
  /** Instances that refuse sessions. */
  readonly refusing = new Set<string>()
  /** Instance of each pooled session, by name. */
  readonly sessions = new Map<string, string | undefined>()
  readonly dialed: (string | undefined)[] = []
  readonly closed: string[] = []
  ended: { error: Error | undefined } | undefined
  isConnected = true
  readonly #gone = new Map<string, (error?: Error) => void>()

  readonly connection: LoadBalancedConnection = new LoadBalancedConnection('main', {
    maxSessions: 3,
    isConnected: () => this.isConnected,
    dial: instance => this.#dial(instance),
    addSession: name => this.#addSession(name),
    ended: error => (this.ended = { error }),
  })

  /** Loses the sessions with this instance, and asks for others in their place, as a remote host does. */
  async lose(instance: string): Promise<void> {
    this.running.delete(instance)
    const names = [...this.sessions].filter(([, current]) => current === instance).map(([name]) => name)
    for (const name of names) this.sessions.set(name, undefined)
    await Promise.all(names.map(name => this.reconnect(name)))
  }

  /** Asks for the next session. Returns false if that is to be retried. */
  async reconnect(name: string): Promise<boolean> {
    try {
      const { instance } = await this.connection.nextSession(name, new AbortController().signal)
      this.sessions.set(name, instance)
      return true
    } catch (error) {
      if ((error as BusError).reason === 'Disconnected') return false
      this.sessions.delete(name)
      this.#gone.get(name)?.(error as Error)
      throw error
    }
  }

  get instances(): string[] {
    return [...this.sessions.values()].map(String).toSorted()
  }

  async #dial(instance: string | undefined): Promise<OpenedSession> {
    this.dialed.push(instance)
    await Promise.resolve()
    const actual = instance ?? [...this.running][0]
    if (!this.isConnected || actual === undefined || !this.running.has(actual))
      throw new BusError('Disconnected', 'no instance answered')
    if (this.refusing.has(actual)) throw new BusError('Denied', 'revoked')
    return { instance: actual, link: { close: () => void this.closed.push(actual) } } as OpenedSession
  }

  async #addSession(name: string): Promise<{ closed: Promise<Error | undefined> }> {
    this.sessions.set(name, undefined)
    const closed = new Promise<Error | undefined>(resolve => this.#gone.set(name, resolve))
    await this.reconnect(name)
    return { closed }
  }
}

/** Starts a connection to instance `a`, and lets it find the others. */
const start = async (...others: string[]): Promise<World> => {
  const world = new World()
  await world.connection.start()
  for (const instance of others) world.running.add(instance)
  await Promise.all(others.map(instance => world.connection.instanceFound(instance)))
  return world
}

it('starts with any instance, and adds a session with every other instance that answers', async () => {
  const world = await start('b', 'c')
  expect(world.instances).toEqual(['a', 'b', 'c'])
  await world.connection.instanceFound('b')
  await world.connection.instanceFound('a')
  expect(world.dialed).toEqual([undefined, 'b', 'c'])
})

it('has no more sessions than the limit', async () => {
  const world = await start('b', 'c', 'd')
  expect(world.sessions.size).toBe(3)
})

describe('an instance that is gone', () => {
  it('has no session until it is found again', async () => {
    const world = await start('b')
    await expect(world.lose('b')).rejects.toMatchObject({ reason: 'Cancelled' })
    expect(world.instances).toEqual(['a'])
    await world.connection.instanceFound('b')
    expect(world.instances).toEqual(['a'])
    world.running.add('b')
    await world.connection.instanceFound('b')
    expect(world.instances).toEqual(['a', 'b'])
    expect(world.ended).toBeUndefined()
  })

  it('can be the first', async () => {
    const world = await start('b')
    await expect(world.lose('a')).rejects.toMatchObject({ reason: 'Cancelled' })
    expect(world.instances).toEqual(['b'])
    expect(world.ended).toBeUndefined()
  })

  it('can be the last, whose session waits for any instance', async () => {
    const world = await start('b')
    const both = await Promise.allSettled([world.lose('a'), world.lose('b')])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(world.ended).toBeUndefined()
    const [name] = world.sessions.keys()
    expect(await world.reconnect(name!)).toBe(false)
    world.running.add('z')
    // The last session might land on this instance.
    await world.connection.instanceFound('z')
    expect(world.sessions.size).toBe(1)
    expect(await world.reconnect(name!)).toBe(true)
    expect(world.instances).toEqual(['z'])
    expect(world.dialed.at(-1)).toBeUndefined()
  })
})

it('keeps every session while the connection to NATS is down', async () => {
  const world = await start('b')
  world.isConnected = false
  await Promise.all([...world.sessions.keys()].map(name => world.reconnect(name)))
  expect(world.sessions.size).toBe(2)
  world.isConnected = true
  await Promise.all([...world.sessions.keys()].map(name => world.reconnect(name)))
  expect(world.instances).toEqual(['a', 'b'])
})

it('goes on without an instance that refuses', async () => {
  const world = await start()
  world.running.add('b')
  world.refusing.add('b')
  await world.connection.instanceFound('b')
  expect(world.instances).toEqual(['a'])
  expect(world.ended).toBeUndefined()
})

it('ends when the last session is refused', async () => {
  const world = await start()
  world.refusing.add('a')
  await expect(world.reconnect('main')).rejects.toMatchObject({ reason: 'Denied' })
  await expect.poll(() => world.ended).toMatchObject({ error: { reason: 'Denied' } })
})

it('fails to start when the first session is refused', async () => {
  const world = new World()
  world.refusing.add('a')
  await expect(world.connection.start()).rejects.toMatchObject({ reason: 'Denied' })
})

it('adds no session after it is closed, or for an instance on which another session landed meanwhile', async () => {
  const world = await start()
  world.running.add('b')
  const found = world.connection.instanceFound('b')
  world.running.delete('a')
  await world.reconnect('main')
  await found
  expect(world.instances).toEqual(['b'])
  expect(world.closed).toEqual(['b'])
  world.running.add('c')
  world.connection.close()
  await world.connection.instanceFound('c')
  expect(world.instances).toEqual(['b'])
})
