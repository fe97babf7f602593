// Instances of a bus over NATS: remote frontends call them, and they share events and counts.
import type { Client } from '@sallyport/frontend/client'
import type { BusError } from '@sallyport/protocol'
import { describe, expect, test } from 'vitest'
import { openRemoteFrontend } from './remote-frontend.js'
import { createNetworkOptions, type Instance, startInstance } from './instance.js'
import { hasServer, useServer } from './server.js'

const capability = { identifier: 'all', windows: ['*'], permissions: ['allow-greet', 'allow-label', 'allow-emit'] }
const isolation = { security: { pattern: { use: 'isolation' }, capabilities: [capability] } } as const

describe.skipIf(!hasServer)('an instance over NATS', () => {
  test.each([
    ['brownfield', undefined],
    ['isolation', isolation],
  ] as const)('calls a remote frontend, and is called by it: %s', async (pattern, app) => {
    const { url } = await useServer()
    const network = createNetworkOptions(url)
    const { bus, faults } = await startInstance(network, app && { app })
    const { client } = await openRemoteFrontend({ url, ...network, label: 'far', pattern })
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World!')
    expect(await client.invoke('label')).toBe('far')
    client.expose({ double: ({ n }: { n: number }) => n * 2 })
    expect(await bus.call('far', 'double', { n: 4 })).toBe(8)
    if (pattern === 'isolation') await expect(client.invoke('count')).rejects.toMatchObject({ reason: 'Denied' })
    expect((await bus.stats()).network?.total).toMatchObject({ sessions: 1, inFlight: 0 })
    expect(faults).toEqual([])
  })

  test('fragments large values if the server accepts only small messages, and reports events that are too large', async () => {
    const { url } = await useServer({ config: 'max_payload: 4096' })
    const network = createNetworkOptions(url)
    const [first, second] = [await startInstance({ ...network, instance: 'a' }), await startInstance(network)]
    const { client } = await openRemoteFrontend({ url, ...network, label: 'far', instance: 'a' })
    const name = 'x'.repeat(3_000_000)
    expect(await client.invoke('greet', { name })).toBe(`Hello, ${name}!`)
    const received: unknown[] = []
    await second.bus.listen('news', ({ payload }) => received.push(payload))
    await first.bus.emit('news', 'x'.repeat(5000))
    await first.bus.emit('news', 'small')
    await expect.poll(() => received).toEqual(['small'])
    await expect.poll(() => first.faults).toHaveLength(1)
    expect(first.faults[0]).toMatchObject({
      label: 'core',
      reason: 'Overloaded',
      message: expect.stringContaining('news'),
    })
  })

  test('accepts new sessions after the server has restarted', async () => {
    const server = await useServer()
    const network = createNetworkOptions(server.url)
    const { bus, faults } = await startInstance(network)
    const first = await openRemoteFrontend({ ...network, url: server.url, label: 'far', heartbeat: 200 })
    const call = first.client.invoke('never')
    await expect.poll(async () => (await bus.stats()).network?.total.inFlight).toBe(1)
    const reason = call.catch((error: unknown) => (error as BusError).reason)
    await server.restart()
    await expect.poll(async () => (await bus.stats()).network?.total.sessions).toBe(0)
    expect(await reason).toBe('Disconnected')
    expect(faults).toContainEqual(expect.objectContaining({ label: 'core', reason: 'Disconnected' }))
    const again = await openRemoteFrontend({ ...network, url: server.url, label: 'far' })
    expect(await again.client.invoke('greet', { name: 'again' })).toBe('Hello, again!')
  })

  test('ends its sessions when it closes, after it has sent everything', async () => {
    const { url } = await useServer()
    const network = createNetworkOptions(url)
    const { bus } = await startInstance(network)
    const { client } = await openRemoteFrontend({ url, ...network, label: 'far' })
    const reason = client.invoke('never').catch((error: unknown) => (error as BusError).reason)
    expect(await client.invoke('greet', { name: 'x' })).toBe('Hello, x!')
    await bus.close({ timeout: 0 })
    expect(['Disconnected', 'Cancelled']).toContain(await reason)
  })
})

describe.skipIf(!hasServer)('several instances over NATS', () => {
  test('accept sessions to any or to a given instance, share events by the same rules for targets, and sum counts', async () => {
    const { url } = await useServer()
    const network = createNetworkOptions(url)
    const names = ['a', 'b', 'c']
    const [a, b, c] = (await Promise.all(names.map(instance => startInstance({ ...network, instance })))) as [
      Instance,
      Instance,
      Instance,
    ]
    const frontends = await Promise.all(
      names.map(instance => openRemoteFrontend({ url, ...network, label: `far-${instance}`, instance })),
    )
    expect(frontends.map(({ instance }) => instance)).toEqual(names)
    for (const { client } of frontends) expect(await client.invoke('count')).toBe(1)
    const any = await openRemoteFrontend({ url, ...network, label: 'any' })
    expect(names).toContain(any.instance)
    expect(await any.client.invoke('count')).toBe(2)

    const log: string[] = []
    const createListener = (name: string) => (event: { payload: unknown }) =>
      void log.push(`${name} ${JSON.stringify(event.payload)}`)
    const [near, far] = frontends.map(({ client }) => client) as [Client, Client, Client]
    await near.listen('news', createListener('near'))
    await far.listen('news', createListener('far'))
    await b.bus.listen('news', createListener('host of b'))
    await near.emit('news', { to: 'all' })
    await expect.poll(() => log.toSorted()).toEqual(['far {"to":"all"}', 'host of b {"to":"all"}', 'near {"to":"all"}'])
    log.length = 0
    await a.bus.emitTo('far-b', 'news', 'for far')
    await a.bus.emit('news', 'end')
    await expect.poll(() => log.filter(line => line.includes('end'))).toHaveLength(3)
    // A host receives the events of all targets.
    expect(log.filter(line => !line.includes('end')).toSorted()).toEqual(['far "for far"', 'host of b "for far"'])

    const getStats = async () => (await a.bus.stats()).network
    const sessions = { a: 1, b: 1, c: 1 }
    sessions[any.instance as 'a' | 'b' | 'c']++
    const instances = Object.fromEntries(Object.entries(sessions).map(([name, count]) => [name, { sessions: count }]))
    await expect
      .poll(getStats, { timeout: 15_000 })
      .toMatchObject({ instance: 'a', instances, total: { sessions: 4, calls: expect.any(Number) } })
    const { instances: counts, total } = (await getStats())!
    expect(total.calls).toBe(Object.values(counts).reduce((sum, { calls }) => sum + calls, 0))
    await c.bus.close()
    await expect.poll(async () => Object.keys((await getStats())?.instances ?? {}).toSorted()).toEqual(['a', 'b'])
    expect([a, b, c].flatMap(({ faults }) => faults)).toEqual([])
  })
})
