// Instances of a bus over NATS: remote frontends call them, and they share events and counts.
import type { BusError } from '@sallyport/protocol/internal/errors'
import { describe, expect, test, vi } from 'vitest'
import { openRemoteFrontend, openNats } from '../long/remote-frontend.js'
import { createNetworkOptions, startInstance } from '../long/instance.js'
import { hasServer, useServer } from '../long/server.js'

const capability = { identifier: 'all', windows: ['*'], permissions: ['allow-greet', 'allow-label', 'allow-emit'] }
const isolation = { isolation: {}, capabilities: [capability] } as const

describe.skipIf(!hasServer)('an instance over NATS', () => {
  test.each([
    ['brownfield', undefined],
    ['isolation', isolation],
  ] as const)('calls a remote frontend, and is called by it: %s', async (pattern, app) => {
    const { url } = await useServer()
    const network = createNetworkOptions(url)
    const { bus, faults } = await startInstance(network, app && { ...app })
    const { client } = await openRemoteFrontend({ url, ...network, label: 'far', pattern })
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World!')
    expect(await client.invoke('label')).toBe('far')
    client.expose({ double: ({ n }: { n: number }) => n * 2 })
    expect(await bus.call('far', 'double', { n: 4 })).toBe(8)
    if (pattern === 'isolation') await expect(client.invoke('count')).rejects.toMatchObject({ reason: 'Denied' })
    await expect.poll(async () => (await bus.stats()).network?.total).toMatchObject({ sessions: 1, inFlight: 0 })
    expect(faults).toEqual([])
  })

  test('receives large values in fragments if the server accepts only small messages', async () => {
    const { url } = await useServer({ config: 'max_payload: 4096' })
    const network = createNetworkOptions(url)
    await startInstance(network)
    const { client } = await openRemoteFrontend({ url, ...network, label: 'far' })
    const name = 'x'.repeat(3_000_000)
    expect(await client.invoke('greet', { name })).toBe(`Hello, ${name}!`)
  })

  test('accepts sessions that go to any instance or to this one', async () => {
    const { url } = await useServer()
    const network = createNetworkOptions(url)
    const names = ['a', 'b', 'c']
    for (const instance of names) await startInstance({ ...network, instance })
    for (const instance of names) {
      const far = await openRemoteFrontend({ url, ...network, label: `far-${instance}`, instance })
      expect(far.instance).toBe(instance)
      expect(await far.client.invoke('count')).toBe(1)
    }
    const far = await openRemoteFrontend({ url, ...network, label: 'any' })
    expect(names).toContain(far.instance)
    expect(await far.client.invoke('count')).toBe(2)
  })

  test('shares events with the other instances, by the same rules for targets', async () => {
    const { url } = await useServer()
    const network = createNetworkOptions(url)
    const [first, second] = [
      await startInstance({ ...network, instance: 'one' }),
      await startInstance({ ...network, instance: 'two' }),
    ]
    const log: string[] = []
    const createListener = (name: string) => (event: { payload: unknown }) =>
      void log.push(`${name} ${JSON.stringify(event.payload)}`)
    const near = await openRemoteFrontend({ url, ...network, label: 'near', instance: 'one' })
    const far = await openRemoteFrontend({ url, ...network, label: 'far', instance: 'two' })
    await near.client.listen('news', createListener('near'))
    await far.client.listen('news', createListener('far'))
    await second.bus.listen('news', createListener('host of two'))
    await near.client.emit('news', { to: 'all' })
    await expect
      .poll(() => log.toSorted())
      .toEqual(['far {"to":"all"}', 'host of two {"to":"all"}', 'near {"to":"all"}'])
    log.length = 0
    await first.bus.emitTo('far', 'news', 'for far')
    await first.bus.emit('news', 'end')
    await expect.poll(() => log.filter(line => line.includes('end'))).toHaveLength(3)
    // A host receives the events of all targets.
    expect(log.filter(line => !line.includes('end')).toSorted()).toEqual(['far "for far"', 'host of two "for far"'])
    expect([...first.faults, ...second.faults]).toEqual([])
  })

  test('reports an event that is too large for the server, and sends the next one', async () => {
    const { url } = await useServer({ config: 'max_payload: 4096' })
    const network = createNetworkOptions(url)
    const [first, second] = [await startInstance(network), await startInstance(network)]
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

  test('sums the counts of all instances, without those that have closed', async () => {
    const { url } = await useServer()
    const network = createNetworkOptions(url)
    const first = await startInstance({ ...network, instance: 'one' })
    const second = await startInstance({ ...network, instance: 'two' })
    for (const instance of ['one', 'two', 'two']) {
      const { client } = await openRemoteFrontend({
        url,
        ...network,
        label: `far-${Math.random()}`.replace('.', ''),
        instance,
      })
      await client.invoke('greet', { name: 'x' })
    }
    const stats = async () => (await first.bus.stats()).network
    await expect.poll(async () => (await stats())?.total.calls).toBe(3)
    expect(await stats()).toMatchObject({
      instance: 'one',
      instances: { one: { sessions: 1 }, two: { sessions: 2 } },
      total: { sessions: 3 },
    })
    await second.bus.close()
    await expect.poll(async () => Object.keys((await stats())?.instances ?? {})).toEqual(['one'])
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
    // The instance subscribes again a moment after the server is back.
    const again = await vi.waitFor(() => openRemoteFrontend({ ...network, url: server.url, label: 'far' }), 20_000)
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

// Service discovery as NATS's own tools (`nats micro ls`, `info`) use it, by a plain client (ADR-32 of NATS).
describe('service discovery', () => {
  describe.skipIf(!hasServer)('service discovery', () => {
    test('is answered by all instances, and by each one under its name', async () => {
      const { url } = await useServer()
      const network = createNetworkOptions(url)
      const service = `sallyport-${network.bus}`
      for (const instance of ['one', 'two']) {
        await startInstance({ ...network, instance }, { config: { version: '1.2.3', productName: 'Shop' } })
      }
      const nats = await openNats(url)
      const query = async (subject: string): Promise<Record<string, unknown>[]> => {
        const answers = []
        for await (const answer of await nats.requestMany(subject, '', { strategy: 'stall', maxWait: 5000 })) {
          answers.push(answer.json<Record<string, unknown>>())
        }
        return answers.toSorted((a, b) => String(a['id']).localeCompare(String(b['id'])))
      }
      const identity = { name: service, version: '1.2.3', metadata: { pattern: 'brownfield', productName: 'Shop' } }
      const ping = { ...identity, type: 'io.nats.micro.v1.ping_response' }
      const both = [
        { ...ping, id: 'one' },
        { ...ping, id: 'two' },
      ]
      const subjects = ['$SRV.PING', `$SRV.PING.${service}`, `$SRV.PING.${service}.two`]
      // On a busy machine one instance can answer so long after the other that the client waits no more.
      await expect.poll(() => Promise.all(subjects.map(query))).toEqual([both, both, [both[1]]])

      const open = { name: 'open', subject: `sallyport.${network.bus}.open`, queue_group: 'core' }
      const calls = { name: 'calls', subject: `sallyport.${network.bus}.to.one.*`, queue_group: '' }
      expect(await query(`$SRV.INFO.${service}.one`)).toEqual([
        {
          ...identity,
          id: 'one',
          type: 'io.nats.micro.v1.info_response',
          description: 'Core of a Sallyport bus',
          endpoints: [
            { ...open, metadata: {} },
            { ...calls, metadata: {} },
          ],
        },
      ])
    })
  })
})
