// Instances as NATS's own tools see them: what `nats micro ls`, `info` and `stats` ask, a plain client asks here (ADR-32 of NATS).
import { describe, expect, test } from 'vitest'
import { openFar, openNats } from './far-frontend.js'
import { newBus, startInstance } from './instance.js'
import { hasServer, useServer } from './server.js'

describe.skipIf(!hasServer)('discovery', () => {
  test('all instances answer, and each by its name', async () => {
    const { url } = await useServer()
    const network = newBus(url)
    const service = `sallyport-${network.bus}`
    for (const instance of ['one', 'two']) {
      await startInstance({ ...network, instance }, { version: '1.2.3', productName: 'Shop' })
    }
    const nats = await openNats(url)
    const ask = async (subject: string): Promise<Record<string, unknown>[]> => {
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
    expect(await ask('$SRV.PING')).toEqual(both)
    expect(await ask(`$SRV.PING.${service}`)).toEqual(both)
    expect(await ask(`$SRV.PING.${service}.two`)).toEqual([both[1]])

    const open = { name: 'open', subject: `sallyport.${network.bus}.open`, queue_group: 'core' }
    const calls = { name: 'calls', subject: `sallyport.${network.bus}.to.one.*`, queue_group: '' }
    expect(await ask(`$SRV.INFO.${service}.one`)).toEqual([
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

    const { client } = await openFar({ url, ...network, label: 'far', instance: 'one' })
    await client.invoke('greet', { name: 'x' })
    await nats.request(`sallyport.${network.bus}.open.one`, 'no hello')
    const figures = { num_errors: 0, last_error: '', processing_time: expect.any(Number) }
    expect(await ask(`$SRV.STATS.${service}.one`)).toEqual([
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
