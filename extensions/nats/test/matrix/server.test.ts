// The test helper for NATS servers, and a server that stalls.
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectNats } from '../../src/connection/process-connection.js'
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

test.skipIf(!hasServer)(
  'a connection recovers from a server that is stopped while the send buffers are full',
  async () => {
    const server = await useServer()
    const log: string[] = []
    const connection = await connectNats('test', { servers: server.url }, 200, {
      disconnected: error => log.push(error.message),
      reconnected: () => log.push('up'),
      fault: error => log.push(error.message),
    })
    onTestFinished(() => connection.close())
    server.pause()
    const megabyte = new Uint8Array(1_000_000)
    for (let i = 0; i < 64; i++) connection.publish('anywhere', megabyte)
    await expect.poll(() => log).toEqual([expect.stringContaining('did not answer pings')])
    server.resume()
    await expect.poll(() => log.at(-1)).toBe('up')
    await connection.flush()
  },
)
