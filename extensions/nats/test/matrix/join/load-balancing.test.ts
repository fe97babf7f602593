// Connections over several instances: which instances their calls run on, and what is lost with an instance.
import { createClient } from '@sallyport/frontend'
import type { Client } from '@sallyport/core'
import { describe, expect, test } from 'vitest'
import { hasServer } from '../../long/server.js'
import { type TestInstance, useNetwork } from '../../long/join/test-network.js'

/** Waits until calls are balanced over exactly these instances. */
const waitForInstances = async (client: Client, ...names: string[]): Promise<void> => {
  const getInstances = async (): Promise<unknown[]> => {
    const outcomes = await Promise.allSettled(names.map(() => client.invoke('who')))
    const instances = outcomes.map(outcome => (outcome.status === 'fulfilled' ? String(outcome.value) : 'none'))
    return [...new Set(instances)].toSorted()
  }
  await expect.poll(getInstances, { timeout: 20_000 }).toEqual(names)
}

const release = ({ seen }: TestInstance): void => seen.release.splice(0).forEach(resolve => resolve())

describe.skipIf(!hasServer).each(['brownfield', 'isolation'] as const)('%s', pattern => {
  test('calls go to the instance with the fewest in flight, and those of a sticky connection to one instance', async () => {
    const network = await useNetwork(pattern)
    const instances = await Promise.all(['a', 'b', 'c'].map(name => network.startInstance(name)))
    const joined = await network.join()
    const client = await joined.connect('balanced')
    await waitForInstances(client, 'a', 'b', 'c')
    const held = [1, 2, 3].map(() => client.invoke<string>('hold'))
    await expect.poll(() => instances.map(({ seen }) => seen.release.length)).toEqual([1, 1, 1])
    release(instances[2]!)
    expect(await Promise.race(held)).toBe('c')
    expect(await client.invoke('who')).toBe('c')
    release(instances[0]!)
    release(instances[1]!)
    expect((await Promise.all(held)).toSorted()).toEqual(['a', 'b', 'c'])

    const sticky = await joined.connect('sticky', { sticky: true })
    const answers = new Set(await Promise.all(Array.from({ length: 30 }, () => sticky.invoke('who'))))
    expect(answers.size).toBe(1)

    const received: unknown[] = []
    await client.listen('pong', ({ payload }) => void received.push(payload))
    await client.emit('ping', 'once')
    await expect.poll(() => received.length).toBeGreaterThan(0)
    const streams = [1, 2, 3].map(async () => {
      let count = 0
      for await (const _number of client.stream<number>('count', { to: 300 })) count++
      return count
    })
    expect(await Promise.all(streams)).toEqual([300, 300, 300])
  })

  test('a connection finds a later instance, loses only the calls of one that closes, and outlives all', async () => {
    const network = await useNetwork(pattern)
    const a = await network.startInstance('a')
    const client = await (await network.join()).connect('balanced')
    const received: unknown[] = []
    await client.listen('pong', ({ payload }) => void received.push(payload))
    client.expose({ where: () => 'here' })
    const b = await network.startInstance('b')
    await waitForInstances(client, 'a', 'b')
    expect(await b.bus.call('balanced', 'where')).toBe('here')

    const held = [client.invoke('hold'), client.invoke('hold')]
    const settled = Promise.allSettled(held)
    await expect.poll(() => a.seen.release.length + b.seen.release.length).toBe(2)
    await a.bus.close({ timeout: 0 })
    await waitForInstances(client, 'b')
    release(b)
    const outcomes = await settled
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(outcomes).toContainEqual(
      expect.objectContaining({ reason: expect.objectContaining({ reason: 'Disconnected' }) }),
    )
    // The listeners were registered at `a` first, and are known to `b` now.
    await expect.poll(() => (received.length > 0 ? received : void client.emit('ping', 2))).toBeDefined()
    expect(received[0]).toEqual({ from: 'b', payload: 2 })

    await b.bus.close()
    await expect
      .poll(() => client.invoke('who').catch((error: unknown) => error))
      .toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
    await Promise.all([network.startInstance('c'), network.startInstance('d')])
    await waitForInstances(client, 'c', 'd')
  })
})

describe.skipIf(!hasServer)('a balanced connection', () => {
  test('behaves like any client, and frees its label when it is closed', async () => {
    const network = await useNetwork()
    const { seen } = await network.startInstance('a')
    const joined = await network.join()
    const client = await joined.connect('balanced', { data: { n: 1 } })
    await expect(joined.connect('balanced')).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(joined.connect('balanced', { sticky: true })).rejects.toMatchObject({ reason: 'InvalidParams' })
    const typed = createClient<{ commands: { add(args: { a: number; b: number }): number } }>(client)
    expect(await typed.invoke('add', { a: 1, b: 2 })).toBe(3)
    expect(client.data).toEqual({ n: 1 })
    const held = client.invoke('hold')
    await expect.poll(() => seen.release.length).toBe(1)
    await joined.closeFrontend('balanced')
    await expect(held).rejects.toMatchObject({ reason: 'Disconnected' })
    await client.closed
    await expect.poll(() => seen.aborted.length).toBe(1)
    expect(joined.stats().frontends).toEqual({})
    const next = await joined.connect('balanced')
    expect(await next.invoke('who')).toBe('a')
    await expect(joined.connect('other', { sticky: 'yes' as unknown as boolean })).rejects.toThrow(
      'sticky must be true',
    )
  })
})
