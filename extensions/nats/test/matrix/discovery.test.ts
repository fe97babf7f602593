// Service discovery as NATS's own tools (`nats micro ls`, `info`) use it, by a plain client (ADR-32 of NATS).
import { describe, expect, test } from 'vitest'
import { openNats } from '../long/remote-frontend.js'
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
  })
})
