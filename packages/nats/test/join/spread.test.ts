// A connection over several instances: which of them its calls run on, and what is lost with one of them.
import { createClient } from '@sallyport/frontend'
import type { Client } from '@sallyport/core'
import { describe, expect, test } from 'vitest'
import { hasServer } from '../server.js'
import { useWorld, type Instance } from './world.js'

/** Calls until it has a lane to each of so many instances. */
const reaches = async (client: Client, ...names: string[]): Promise<void> => {
  const round = async (): Promise<unknown[]> => {
    const all = await Promise.allSettled(names.map(() => client.invoke('who')))
    return [...new Set(all.map(one => (one.status === 'fulfilled' ? String(one.value) : 'none')))].toSorted()
  }
  await expect.poll(round, { timeout: 20_000 }).toEqual(names)
}

const letGo = ({ seen }: Instance): void => seen.letGo.splice(0).forEach(go => go())

describe.skipIf(!hasServer).each(['brownfield', 'isolation'] as const)('%s', pattern => {
  test('calls go to each of three instances, and those of a sticky connection to one', async () => {
    const world = await useWorld(pattern)
    const instances = await Promise.all(['a', 'b', 'c'].map(name => world.start(name)))
    const joined = await world.join()
    const client = await joined.connect('spread')
    await reaches(client, 'a', 'b', 'c')
    // The one with the fewest under way: with two calls held at `a` and `b`, one more is for `c`.
    const held = [1, 2, 3].map(() => client.invoke<string>('hold'))
    await expect.poll(() => instances.map(({ seen }) => seen.letGo.length)).toEqual([1, 1, 1])
    letGo(instances[2]!)
    expect(await Promise.race(held)).toBe('c')
    expect(await client.invoke('who')).toBe('c')
    letGo(instances[0]!)
    letGo(instances[1]!)
    expect((await Promise.all(held)).toSorted()).toEqual(['a', 'b', 'c'])

    const sticky = await joined.connect('sticky', { sticky: true })
    const one = new Set(await Promise.all(Array.from({ length: 30 }, () => sticky.invoke('who'))))
    expect(one.size).toBe(1)

    const heard: unknown[] = []
    await client.listen('pong', ({ payload }) => void heard.push(payload))
    await client.emit('ping', 'once')
    await expect.poll(() => heard.length).toBeGreaterThan(0)
    const streams = [1, 2, 3].map(async () => {
      const taken: number[] = []
      for await (const n of client.stream<number>('count', { to: 300 })) taken.push(n)
      return taken.length
    })
    expect(await Promise.all(streams)).toEqual([300, 300, 300])
  })

  test('an instance that comes later is found, and one that ends takes no call along that has not begun', async () => {
    const world = await useWorld(pattern)
    const a = await world.start('a')
    const client = await (await world.join()).connect('spread')
    const heard: unknown[] = []
    await client.listen('pong', ({ payload }) => void heard.push(payload))
    client.expose({ where: () => 'here' })
    const b = await world.start('b')
    await reaches(client, 'a', 'b')
    expect(await b.bus.call('spread', 'where')).toBe('here')

    const held = [client.invoke('hold'), client.invoke('hold')]
    const outcomes = Promise.allSettled(held)
    await expect.poll(() => a.seen.letGo.length + b.seen.letGo.length).toBe(2)
    await a.bus.close({ timeout: 0 })
    await reaches(client, 'b')
    letGo(b)
    expect((await outcomes).map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await outcomes).toContainEqual(
      expect.objectContaining({ reason: expect.objectContaining({ reason: 'Disconnected' }) }),
    )
    // Its home was the first: the listeners are known to the other now.
    await expect.poll(() => (heard.length > 0 ? heard : void client.emit('ping', 2)), { timeout: 10_000 }).toBeDefined()
    expect(heard[0]).toEqual({ from: 'b', payload: 2 })
  })
})

describe.skipIf(!hasServer)('a connection that is spread', () => {
  test('outlives all instances', async () => {
    const world = await useWorld()
    const a = await world.start('a')
    const b = await world.start('b')
    const client = await (await world.join()).connect('spread')
    await reaches(client, 'a', 'b')
    await Promise.all([a.bus.close(), b.bus.close()])
    await expect
      .poll(() => client.invoke('who').catch((error: unknown) => error))
      .toMatchObject({
        reason: 'Disconnected',
        data: { delivered: 'no' },
      })
    await world.start('c')
    await reaches(client, 'c')
    await world.start('d')
    await reaches(client, 'c', 'd')
  })

  test('is a client as any other, and its label is free once it is closed', async () => {
    const world = await useWorld()
    const { seen } = await world.start('a')
    const joined = await world.join()
    const client = await joined.connect('spread', { data: { n: 1 } })
    await expect(joined.connect('spread')).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(joined.connect('spread', { sticky: true })).rejects.toMatchObject({ reason: 'InvalidParams' })
    const typed = createClient<{ commands: { add(args: { a: number; b: number }): number } }>(client)
    expect(await typed.invoke('add', { a: 1, b: 2 })).toBe(3)
    expect(client.data).toEqual({ n: 1 })
    const held = client.invoke('hold')
    await expect.poll(() => seen.letGo.length).toBe(1)
    await joined.closeFrontend('spread')
    await expect(held).rejects.toMatchObject({ reason: 'Disconnected' })
    await client.closed
    await expect.poll(() => seen.aborted.length).toBe(1)
    expect(joined.stats().frontends).toEqual({})
    const again = await joined.connect('spread')
    expect(await again.invoke('who')).toBe('a')
    await expect(joined.connect('other', { sticky: 'yes' as unknown as boolean })).rejects.toThrow(
      'sticky must be true',
    )
  })
})
