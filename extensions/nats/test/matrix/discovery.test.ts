// Service discovery as NATS's own tools (`nats micro ls`, `info`, `stats`) use it, by a plain client (ADR-32 of NATS).
import { describe, expect, test } from 'vitest'
import { openRemoteFrontend, openNats } from '../long/remote-frontend.js'
import { createNetworkOptions, startInstance } from '../long/instance.js'
import { hasServer, useServer } from '../long/server.js'

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

    const { client } = await openRemoteFrontend({ url, ...network, label: 'far', instance: 'one' })
    await client.invoke('greet', { name: 'x' })
    await nats.request(`sallyport.${network.bus}.open.one`, 'malformed', { timeout: 10_000 })
    const figures = { num_errors: 0, last_error: '', processing_time: expect.any(Number) }
    expect(await query(`$SRV.STATS.${service}.one`)).toEqual([
      {
        ...identity,
        id: 'one',
        type: 'io.nats.micro.v1.stats_response',
        started: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        endpoints: [
          {
            ...open,
            ...figures,
            ...{ num_requests: 2, num_errors: 1, last_error: expect.stringContaining('hello') },
            average_processing_time: expect.any(Number),
          },
          {
            ...calls,
            ...figures,
            num_requests: 1,
            average_processing_time: 0,
            data: expect.objectContaining({ sessions: 1, calls: 1 }),
          },
        ],
      },
    ])
  })
})
