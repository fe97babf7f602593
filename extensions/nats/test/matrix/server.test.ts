// The test helper for NATS servers.
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { describe, expect, test } from 'vitest'
import { hasServer, useCluster, useServer } from '../long/server.js'

const succeeds = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false,
  )

describe.skipIf(!hasServer)('a NATS server for tests', () => {
  test('accepts the users of its configuration', async () => {
    const server = await useServer({ config: 'authorization { user: ann, password: secret }' })
    await expect(connect({ servers: server.url })).rejects.toThrow()
    const client = await connect({ servers: server.url, user: 'ann', pass: 'secret' })
    await client.flush()
    await client.close()
  })

  test('restarts with the same port', async () => {
    const server = await useServer()
    const client = await connect({ servers: server.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 })
    await server.restart()
    await expect.poll(() => succeeds(client.flush())).toBe(true)
    await client.close()
  })

  test('joins other servers to a cluster', async () => {
    const servers = await useCluster(2)
    const clients = await Promise.all(servers.map(({ url }) => connect({ servers: url })))
    const [near, far] = clients as [NatsConnection, NatsConnection]
    far.subscribe('ping', { callback: (_error, message) => void message.respond() })
    await expect.poll(() => succeeds(near.request('ping'))).toBe(true)
    await Promise.all(clients.map(client => client.close()))
  })
})
