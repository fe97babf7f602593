// Core as an instance of a bus over NATS: frontends of other processes call it, and instances share events and counts.
import type { BusError } from '@sallyport/protocol'
import { describe, expect, test } from 'vitest'
import { openFar } from './far-frontend.js'
import { newBus, startInstance } from './instance.js'
import { hasServer, useServer } from './server.js'

const everything = { identifier: 'all', windows: ['*'], permissions: ['allow-greet', 'allow-label', 'allow-emit'] }
const isolation = { security: { pattern: { use: 'isolation' }, capabilities: [everything] } } as const

describe.skipIf(!hasServer)('core over NATS', () => {
  test.each([
    ['brownfield', undefined],
    ['isolation', isolation],
  ] as const)('a frontend of another process calls and is called: %s', async (pattern, app) => {
    const { url } = await useServer()
    const network = newBus(url)
    const { bus, faults } = await startInstance(network, app && { app })
    const { client } = await openFar({ url, ...network, label: 'far', pattern })
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World!')
    expect(await client.invoke('label')).toBe('far')
    client.expose({ double: ({ n }: { n: number }) => n * 2 })
    expect(await bus.call('far', 'double', { n: 4 })).toBe(8)
    if (pattern === 'isolation') await expect(client.invoke('count')).rejects.toMatchObject({ reason: 'Denied' })
    expect((await bus.stats()).network?.total).toMatchObject({ sessions: 1, inFlight: 0 })
    expect(faults).toEqual([])
  })

  test('large values go in parts, where the server lets little through', async () => {
    const { url } = await useServer({ config: 'max_payload: 4096' })
    const network = newBus(url)
    await startInstance(network)
    const { client } = await openFar({ url, ...network, label: 'far' })
    const name = 'x'.repeat(3_000_000)
    expect(await client.invoke('greet', { name })).toBe(`Hello, ${name}!`)
  })

  test('a session goes to one instance, or to the one that is asked for', async () => {
    const { url } = await useServer()
    const network = newBus(url)
    const names = ['a', 'b', 'c']
    for (const instance of names) await startInstance({ ...network, instance })
    for (const instance of names) {
      const far = await openFar({ url, ...network, label: `far-${instance}`, instance })
      expect(far.instance).toBe(instance)
      expect(await far.client.invoke('count')).toBe(1)
    }
    const far = await openFar({ url, ...network, label: 'any' })
    expect(names).toContain(far.instance)
    expect(await far.client.invoke('count')).toBe(2)
  })

  test('events reach the listeners of all instances, by the same rules', async () => {
    const { url } = await useServer()
    const network = newBus(url)
    const [one, two] = [
      await startInstance({ ...network, instance: 'one' }),
      await startInstance({ ...network, instance: 'two' }),
    ]
    const log: string[] = []
    const hear = (name: string) => (heard: { payload: unknown }) =>
      void log.push(`${name} ${JSON.stringify(heard.payload)}`)
    const near = await openFar({ url, ...network, label: 'near', instance: 'one' })
    const far = await openFar({ url, ...network, label: 'far', instance: 'two' })
    await near.client.listen('news', hear('near'))
    await far.client.listen('news', hear('far'))
    await two.bus.listen('news', hear('host of two'))
    await near.client.emit('news', { to: 'all' })
    await expect
      .poll(() => log.toSorted())
      .toEqual(['far {"to":"all"}', 'host of two {"to":"all"}', 'near {"to":"all"}'])
    log.length = 0
    await one.bus.emitTo('far', 'news', 'for far')
    await one.bus.emit('news', 'end')
    await expect.poll(() => log.filter(line => line.includes('end'))).toHaveLength(3)
    // The host hears what is for anybody.
    expect(log.filter(line => !line.includes('end')).toSorted()).toEqual(['far "for far"', 'host of two "for far"'])
    expect([...one.faults, ...two.faults]).toEqual([])
  })

  test('an event that the server lets not through is told of, and the next one goes', async () => {
    const { url } = await useServer({ config: 'max_payload: 4096' })
    const network = newBus(url)
    const [one, two] = [await startInstance(network), await startInstance(network)]
    const heard: unknown[] = []
    await two.bus.listen('news', ({ payload }) => heard.push(payload))
    await one.bus.emit('news', 'x'.repeat(5000))
    await one.bus.emit('news', 'small')
    await expect.poll(() => heard).toEqual(['small'])
    await expect.poll(() => one.faults).toHaveLength(1)
    expect(one.faults[0]).toMatchObject({
      label: 'core',
      reason: 'Overloaded',
      message: expect.stringContaining('news'),
    })
  })

  test('counts of all instances are summed, and one that has gone is not counted', async () => {
    const { url } = await useServer()
    const network = newBus(url)
    const one = await startInstance({ ...network, instance: 'one' })
    const two = await startInstance({ ...network, instance: 'two' })
    for (const instance of ['one', 'two', 'two']) {
      const { client } = await openFar({ url, ...network, label: `far-${Math.random()}`.replace('.', ''), instance })
      await client.invoke('greet', { name: 'x' })
    }
    const stats = async () => (await one.bus.stats()).network
    await expect.poll(async () => (await stats())?.total.calls, { timeout: 15_000 }).toBe(3)
    expect(await stats()).toMatchObject({
      instance: 'one',
      instances: { one: { sessions: 1 }, two: { sessions: 2 } },
      total: { sessions: 3 },
    })
    await two.bus.close()
    await expect.poll(async () => Object.keys((await stats())?.instances ?? {})).toEqual(['one'])
  })

  test('a server that begins again has its sessions anew', async () => {
    const server = await useServer()
    const network = newBus(server.url)
    const { bus, faults } = await startInstance(network)
    const first = await openFar({ ...network, url: server.url, label: 'far' })
    const call = first.client.invoke('never')
    await expect.poll(async () => (await bus.stats()).network?.total.inFlight).toBe(1)
    const reason = call.catch((error: unknown) => (error as BusError).reason)
    await server.restart()
    await expect.poll(async () => (await bus.stats()).network?.total.sessions).toBe(0)
    expect(await reason).toBe('Disconnected')
    expect(faults).toContainEqual(expect.objectContaining({ label: 'core', reason: 'Disconnected' }))
    const again = await openFar({ ...network, url: server.url, label: 'far' })
    expect(await again.client.invoke('greet', { name: 'again' })).toBe('Hello, again!')
  })

  test('core that ends ends its sessions, after what it sent', async () => {
    const { url } = await useServer()
    const network = newBus(url)
    const { bus } = await startInstance(network)
    const { client } = await openFar({ url, ...network, label: 'far' })
    const reason = client.invoke('never').catch((error: unknown) => (error as BusError).reason)
    expect(await client.invoke('greet', { name: 'x' })).toBe('Hello, x!')
    await bus.close({ timeout: 0 })
    expect(['Disconnected', 'Cancelled']).toContain(await reason)
  })
})
