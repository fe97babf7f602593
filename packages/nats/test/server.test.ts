// The servers that the other tests are made with: they must come, go and come back as told.
import { connect } from '@nats-io/transport-node'
import { describe, expect, test } from 'vitest'
import { hasServer, useServer } from './server.js'

describe.skipIf(!hasServer)('a server for tests', () => {
  test('takes clients, with users where its configuration has some', async () => {
    const server = await useServer({ config: 'authorization { user: ann, password: secret }' })
    await expect(connect({ servers: server.url })).rejects.toThrow()
    const client = await connect({ servers: server.url, user: 'ann', pass: 'secret' })
    await client.flush()
    await client.close()
  })

  test('begins again with the same port', async () => {
    const server = await useServer()
    const client = await connect({ servers: server.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 })
    await server.restart()
    await expect
      .poll(() =>
        client.flush().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
    await client.close()
  })

  test('joins others to a cluster', async () => {
    const first = await useServer({ cluster: { name: 'test' } })
    const second = await useServer({ cluster: { name: 'test', routes: [first.route] } })
    const [one, other] = await Promise.all([connect({ servers: first.url }), connect({ servers: second.url })])
    other.subscribe('ping', { callback: (_error, message) => void message.respond() })
    await expect
      .poll(() =>
        one.request('ping').then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
    await Promise.all([one.close(), other.close()])
  })
})
