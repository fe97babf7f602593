// A client of the broker that can read and publish everything and has no key: it cannot call, it ends no session, and the host gets
// throttled reports.
import { randomBytes } from 'node:crypto'
import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { describe, expect, test } from 'vitest'
import { openRemoteFrontend, openNats } from '../long/remote-frontend.js'
import { createNetworkOptions, startInstance } from '../long/instance.js'
import { hasServer, useServer } from '../long/server.js'

/** Records all messages of the bus. */
async function recordMessages(nats: NatsConnection, bus: string): Promise<Msg[]> {
  const seen: Msg[] = []
  nats.subscribe(`sallyport.${bus}.>`, { callback: (_error, message) => void seen.push(message) })
  await nats.flush()
  return seen
}

describe.skipIf(!hasServer)('a hostile client of the broker', () => {
  test.each(['brownfield', 'isolation'] as const)('can neither call nor end sessions: %s', async pattern => {
    const { url } = await useServer()
    const network = createNetworkOptions(url)
    const permissions = ['allow-greet', 'allow-count', 'allow-emit']
    const capabilities = [{ identifier: 'all', windows: ['*'], permissions }]
    const app = { ...(pattern === 'isolation' && { isolation: {} }), capabilities }
    const first = await startInstance({ ...network, instance: 'one' }, app)
    const second = await startInstance({ ...network, instance: 'two' }, app)
    const nats = await openNats(url)
    const seen = await recordMessages(nats, network.bus)
    const { client, subjects, hello } = await openRemoteFrontend({
      url,
      ...network,
      label: 'far',
      pattern,
      instance: 'one',
    })
    const received: unknown[] = []
    await second.bus.listen('news', ({ payload }) => received.push(payload))
    await client.emit('news', 1)
    expect(await client.invoke('count')).toBe(1)
    await expect.poll(() => received).toEqual([1])

    const toSubject = (token: string): string => `sallyport.${network.bus}.${token}`
    const shared = ['open', 'open.one', 'open.two', 'events', 'instances'].map(toSubject)
    const noResponders = headers(503, 'No Responders')
    for (let round = 0; round < 20; round++) {
      // Replays, random bytes, and "no responders".
      const reply = toSubject('nowhere')
      for (const { subject, data } of seen.slice(0, 100)) nats.publish(subject, data, { reply })
      for (const subject of [subjects.to, subjects.from, ...shared]) {
        for (const bytes of [0, 1, 24, 25, 33, 200, 5000]) nats.publish(subject, randomBytes(bytes), { reply })
        nats.publish(subject, hello, { reply })
        nats.publish(subject, new Uint8Array(), { headers: noResponders })
      }
      expect(await client.invoke('greet', { name: String(round) })).toBe(`Hello, ${round}!`)
    }
    await nats.flush()
    expect(await client.invoke('count')).toBe(2)
    await client.emit('news', 2)
    await expect.poll(() => received).toEqual([1, 2])
    // "No responders" ends the session of a peer that is gone, and not the session of a peer that answers.
    const gone = await openRemoteFrontend({ url, ...network, label: 'gone', pattern, instance: 'one' })
    await gone.client.invoke('greet', { name: 'x' })
    nats.publish(subjects.to, new Uint8Array(), { headers: noResponders })
    await gone.nats.close()
    nats.publish(gone.subjects.to, new Uint8Array(), { headers: noResponders })
    await expect.poll(async () => (await first.bus.stats()).network?.total.sessions).toBe(1)
    expect(await client.invoke('count')).toBe(3)
    expect((await first.bus.stats()).network).toMatchObject({ total: { sessions: 1 } })
    expect(Object.keys((await first.bus.stats()).network!.instances).toSorted()).toEqual(['one', 'two'])
    const texts = new Set(
      [...first.faults, ...second.faults].map(({ message }) => message.replace(/ \(and \d+ more.*/, '')),
    )
    expect([...texts].toSorted()).toEqual(
      expect.arrayContaining([
        expect.stringContaining('A session was refused'),
        expect.stringContaining('A forged or replayed message to the session'),
        expect.stringContaining('A forged or replayed event message'),
        expect.stringContaining('A forged or replayed presence message'),
      ]),
    )
    // At most 100 in a second, and a summary.
    expect(first.faults.length).toBeLessThan(20 * 101)
  })

  test('gains nothing by replaying a hello, even to another instance', async () => {
    const { url } = await useServer()
    const network = createNetworkOptions(url)
    const first = await startInstance({ ...network, instance: 'one' })
    const second = await startInstance({ ...network, instance: 'two' })
    const nats = await openNats(url)
    const { client, hello } = await openRemoteFrontend({ url, ...network, label: 'far', instance: 'one' })
    expect(await client.invoke('greet', { name: 'x' })).toBe('Hello, x!')
    const answers = []
    for (const instance of ['one', 'two', 'two']) {
      answers.push(await nats.request(`sallyport.${network.bus}.open.${instance}`, hello, { timeout: 10_000 }))
    }
    // The other instance has not seen the hello. It answers with a welcome, and waits for a protected message until a timeout.
    expect(answers.map(({ data }) => data[1])).toEqual([3, 2, 3])
    await expect.poll(async () => (await first.bus.stats()).network?.instances['one']?.sessions).toBe(1)
    await expect.poll(async () => (await second.bus.stats()).network?.instances['two']?.sessions).toBe(0)
    expect(await client.invoke('greet', { name: 'x' })).toBe('Hello, x!')
    expect(first.faults).toContainEqual(expect.objectContaining({ message: expect.stringContaining('used before') }))
  })
})
