// Which instances a connection has lanes to, as they come, go and refuse.
import { BusError } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { LoadBalancedConnection } from './load-balancer.js'

class World {
  /** Instances that answer. */
  readonly there = new Set(['a'])
  /** And those that refuse. */
  readonly refusing = new Set<string>()
  /** By lane: the instance that it has a session with. */
  readonly lanes = new Map<string, string | undefined>()
  readonly asked: (string | undefined)[] = []
  readonly closed: string[] = []
  ended: { error: Error | undefined } | undefined
  isUp = true
  readonly #gone = new Map<string, (error?: Error) => void>()

  readonly spread: LoadBalancedConnection<{ instance: string; link: { close(): void } }> = new LoadBalancedConnection(
    'main',
    {
      max: 3,
      isUp: () => this.isUp,
      open: instance => this.#open(instance),
      add: name => this.#add(name),
      end: error => (this.ended = { error }),
    },
  )

  /** The sessions with this instance are lost, and their lanes ask for others, as a satellite does. */
  async lose(instance: string): Promise<void> {
    this.there.delete(instance)
    const lanes = [...this.lanes].filter(([, its]) => its === instance).map(([name]) => name)
    for (const name of lanes) this.lanes.set(name, undefined)
    await Promise.all(lanes.map(name => this.join(name)))
  }

  /** Asks for a session: false where it is to be asked again. */
  async join(name: string): Promise<boolean> {
    try {
      const { instance } = await this.spread.session(name, new AbortController().signal)
      this.lanes.set(name, instance)
      return true
    } catch (error) {
      if ((error as BusError).reason === 'Disconnected') return false
      this.lanes.delete(name)
      this.#gone.get(name)?.(error as Error)
      throw error
    }
  }

  get instances(): string[] {
    return [...this.lanes.values()].map(String).toSorted()
  }

  async #open(instance: string | undefined): Promise<{ instance: string; link: { close(): void } }> {
    this.asked.push(instance)
    await Promise.resolve()
    const taken = instance ?? [...this.there][0]
    if (!this.isUp || taken === undefined || !this.there.has(taken))
      throw new BusError('Disconnected', 'nobody answers')
    if (this.refusing.has(taken)) throw new BusError('Denied', 'revoked')
    return { instance: taken, link: { close: () => this.closed.push(taken) } }
  }

  async #add(name: string): Promise<{ closed: Promise<Error | undefined> }> {
    this.lanes.set(name, undefined)
    const closed = new Promise<Error | undefined>(resolve => this.#gone.set(name, resolve))
    await this.join(name)
    return { closed }
  }
}

const begin = async (...there: string[]): Promise<World> => {
  const world = new World()
  await world.spread.begin()
  for (const instance of there) world.there.add(instance)
  await Promise.all(there.map(instance => world.spread.found(instance)))
  return world
}

it('begins with any instance, and has a lane to each other that answers', async () => {
  const world = await begin('b', 'c')
  expect(world.instances).toEqual(['a', 'b', 'c'])
  await world.spread.found('b')
  await world.spread.found('a')
  expect(world.asked).toEqual([undefined, 'b', 'c'])
})

it('has no more than so many', async () => {
  const world = await begin('b', 'c', 'd')
  expect(world.lanes.size).toBe(3)
})

describe('an instance that is gone', () => {
  it('has no lane, until it is found again', async () => {
    const world = await begin('b')
    await expect(world.lose('b')).rejects.toMatchObject({ reason: 'Cancelled' })
    expect(world.instances).toEqual(['a'])
    await world.spread.found('b')
    expect(world.instances).toEqual(['a'])
    world.there.add('b')
    await world.spread.found('b')
    expect(world.instances).toEqual(['a', 'b'])
    expect(world.ended).toBeUndefined()
  })

  it('may be the first', async () => {
    const world = await begin('b')
    await expect(world.lose('a')).rejects.toMatchObject({ reason: 'Cancelled' })
    expect(world.instances).toEqual(['b'])
    expect(world.ended).toBeUndefined()
  })

  it('may be the last: its lane waits for any', async () => {
    const world = await begin('b')
    const both = await Promise.allSettled([world.lose('a'), world.lose('b')])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(world.ended).toBeUndefined()
    const [name] = world.lanes.keys()
    expect(await world.join(name!)).toBe(false)
    world.there.add('z')
    // It may be on its way there already.
    await world.spread.found('z')
    expect(world.lanes.size).toBe(1)
    expect(await world.join(name!)).toBe(true)
    expect(world.instances).toEqual(['z'])
    expect(world.asked.at(-1)).toBeUndefined()
  })
})

it('keeps every lane while nobody can answer', async () => {
  const world = await begin('b')
  world.isUp = false
  await Promise.all([...world.lanes.keys()].map(name => world.join(name)))
  expect(world.lanes.size).toBe(2)
  world.isUp = true
  await Promise.all([...world.lanes.keys()].map(name => world.join(name)))
  expect(world.instances).toEqual(['a', 'b'])
})

it('leaves alone an instance that refuses', async () => {
  const world = await begin()
  world.there.add('b')
  world.refusing.add('b')
  await world.spread.found('b')
  await world.spread.found('b')
  expect(world.asked).toEqual([undefined, 'b'])
  expect(world.ended).toBeUndefined()
})

it('ends where the last lane is refused', async () => {
  const world = await begin()
  world.refusing.add('a')
  await expect(world.join('main')).rejects.toMatchObject({ reason: 'Denied' })
  await expect.poll(() => world.ended).toMatchObject({ error: { reason: 'Denied' } })
})

it('has no first lane where that is refused', async () => {
  const world = new World()
  world.refusing.add('a')
  await expect(world.spread.begin()).rejects.toMatchObject({ reason: 'Denied' })
})

it('adds nothing once it is closed, nor beside a lane that came to be on its way there', async () => {
  const world = await begin()
  world.there.add('b')
  const found = world.spread.found('b')
  world.there.delete('a')
  await world.join('main')
  await found
  expect(world.instances).toEqual(['b'])
  expect(world.closed).toEqual(['b'])
  world.there.add('c')
  world.spread.close()
  await world.spread.found('c')
  expect(world.instances).toEqual(['b'])
})
