// Somebody who may read and publish everything of a bus at the broker, and holds no key: nothing is done in a frontend's name,
// nobody's session ends by it, and the host is told without being flooded.
import { randomBytes } from 'node:crypto'
import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { describe, expect, test } from 'vitest'
import { openFar, openNats } from './far-frontend.js'
import { newBus, startInstance } from './instance.js'
import { hasServer, useServer } from './server.js'

/** Keeps all that goes over the bus. */
async function spy(nats: NatsConnection, bus: string): Promise<Msg[]> {
  const seen: Msg[] = []
  nats.subscribe(`sallyport.${bus}.>`, { callback: (_error, message) => void seen.push(message) })
  await nats.flush()
  return seen
}

describe.skipIf(!hasServer)('a hostile client of the broker', () => {
  test.each(['brownfield', 'isolation'] as const)('can neither call nor end what others do: %s', async pattern => {
    const { url } = await useServer()
    const network = newBus(url)
    const permissions = ['allow-greet', 'allow-count', 'allow-emit']
    const capabilities = [{ identifier: 'all', windows: ['*'], permissions }]
    const app = { security: { pattern: { use: pattern }, capabilities } }
    const one = await startInstance({ ...network, instance: 'one' }, { app })
    const two = await startInstance({ ...network, instance: 'two' }, { app })
    const nats = await openNats(url)
    const seen = await spy(nats, network.bus)
    const { client, subjects, hello } = await openFar({ url, ...network, label: 'far', pattern, instance: 'one' })
    const heard: unknown[] = []
    await two.bus.listen('news', ({ payload }) => heard.push(payload))
    await client.emit('news', 1)
    expect(await client.invoke('count')).toBe(1)
    await expect.poll(() => heard).toEqual([1])

    const all = [subjects.to, subjects.from, ...['open', 'open.one', 'open.two', 'events', 'instances'].map(of)]
    function of(word: string): string {
      return `sallyport.${network.bus}.${word}`
    }
    const nobody = headers(503, 'No Responders')
    for (let round = 0; round < 20; round++) {
      // What was said already, where it was said and elsewhere, and what is nothing.
      for (const { subject, data } of seen.slice(0, 100)) nats.publish(subject, data, { reply: of('nowhere') })
      for (const subject of all) {
        for (const bytes of [0, 1, 24, 25, 33, 200, 5000])
          nats.publish(subject, randomBytes(bytes), { reply: of('nowhere') })
        nats.publish(subject, hello, { reply: of('nowhere') })
        nats.publish(subject, new Uint8Array(), { headers: nobody })
      }
      expect(await client.invoke('greet', { name: String(round) })).toBe(`Hello, ${round}!`)
    }
    await nats.flush()
    expect(await client.invoke('count')).toBe(2)
    await client.emit('news', 2)
    await expect.poll(() => heard).toEqual([1, 2])
    // A peer that is gone is found so by the same words, and later than the one that is there.
    const gone = await openFar({ url, ...network, label: 'gone', pattern, instance: 'one' })
    await gone.client.invoke('greet', { name: 'x' })
    nats.publish(subjects.to, new Uint8Array(), { headers: nobody })
    await gone.nats.close()
    nats.publish(gone.subjects.to, new Uint8Array(), { headers: nobody })
    await expect.poll(async () => (await one.bus.stats()).network?.total.sessions).toBe(1)
    expect(await client.invoke('count')).toBe(3)
    expect((await one.bus.stats()).network).toMatchObject({ total: { sessions: 1 } })
    expect(Object.keys((await one.bus.stats()).network!.instances).toSorted()).toEqual(['one', 'two'])
    const texts = new Set([...one.faults, ...two.faults].map(({ message }) => message.replace(/ \(and \d+ more.*/, '')))
    expect([...texts].toSorted()).toEqual(
      expect.arrayContaining([
        expect.stringContaining('A session was refused'),
        expect.stringContaining('A forged or replayed message to the session'),
        expect.stringContaining('A forged or replayed event message'),
        expect.stringContaining('A forged or replayed presence message'),
      ]),
    )
    // 100 in a second, and one for the others.
    expect(one.faults.length).toBeLessThan(20 * 101)
  })

  test('gets nothing of a hello that is played again, to another instance neither', async () => {
    const { url } = await useServer()
    const network = newBus(url)
    const one = await startInstance({ ...network, instance: 'one' })
    const two = await startInstance({ ...network, instance: 'two' })
    const nats = await openNats(url)
    const { client, hello } = await openFar({ url, ...network, label: 'far', instance: 'one' })
    expect(await client.invoke('greet', { name: 'x' })).toBe('Hello, x!')
    const welcomes = []
    for (const instance of ['one', 'two', 'two']) {
      welcomes.push(await nats.request(`sallyport.${network.bus}.open.${instance}`, hello, { timeout: 10_000 }))
    }
    // The other had not seen it: it welcomes somebody who has no key, and waits for a word that never comes.
    expect(welcomes.map(({ data }) => data[1])).toEqual([3, 2, 3])
    expect((await one.bus.stats()).network?.instances['one']?.sessions).toBe(1)
    expect((await two.bus.stats()).network?.instances['two']?.sessions).toBe(0)
    expect(await client.invoke('greet', { name: 'x' })).toBe('Hello, x!')
    expect(one.faults).toContainEqual(expect.objectContaining({ message: expect.stringContaining('used before') }))
  })
})
