import { describe, expect, onTestFinished, test } from 'vitest'
import { connectNats, type ProcessConnection } from '../../src/connection/process-connection.js'
import type { NatsConnectionOptions } from '../../src/connection/options.js'
import { hasServer, useServer } from './server.js'

interface OpenedConnection {
  connection: ProcessConnection
  log: string[]
}

async function open(nats: NatsConnectionOptions, heartbeat = 1000): Promise<OpenedConnection> {
  const log: string[] = []
  const connection = await connectNats('test', nats, heartbeat, {
    disconnected: error => log.push(`down: ${error.message}`),
    reconnected: () => log.push('up'),
    fault: error => log.push(`fault: ${error.reason} ${error.message}`),
  })
  onTestFinished(() => connection.close())
  return { connection, log }
}

const NO_SERVER = { servers: 'nats://127.0.0.1:1' }

describe('without a server, a connection', () => {
  test('rejects with the server that does not answer', async () => {
    await expect(open(NO_SERVER)).rejects.toMatchObject({
      reason: 'Disconnected',
      message: expect.stringContaining('no connection to NATS at nats://127.0.0.1:1: connection refused'),
    })
  })

  test.each([
    ['an invalid seed', { nkeySeed: 'SUnot-a-seed' }, 'nats.nkeySeed is not a valid seed'],
    [
      'a file that does not exist',
      { credsFile: '/nowhere/core.creds' },
      'cannot use nats.credsFile /nowhere/core.creds',
    ],
  ])('rejects %s without repeating secrets', async (_name, options, text) => {
    const error = await open({ ...NO_SERVER, ...options }).catch((thrown: unknown) => thrown as Error)
    expect(error).toMatchObject({ reason: 'InvalidParams', message: expect.stringContaining(text) })
    expect(String(error)).not.toContain('not-a-seed')
  })
})

describe.skipIf(!hasServer)('a connection to NATS', () => {
  test('is refused with a wrong password, which the error does not repeat', async () => {
    const server = await useServer({ config: 'authorization { user: ann, password: right }' })
    const error = await open({ servers: server.url, user: 'ann', pass: 'wr0ng' }).catch(
      (thrown: unknown) => thrown as Error,
    )
    expect(error).toMatchObject({ reason: 'Denied', message: expect.stringContaining(server.url) })
    expect(String(error)).not.toContain('wr0ng')
    await open({ servers: server.url, user: 'ann', pass: 'right' })
  })

  test('delivers messages, and reports that the server is lost and back', async () => {
    const server = await useServer()
    const { connection, log } = await open({ servers: server.url })
    const other = await open({ servers: server.url })
    const received: string[] = []
    other.connection.subscribe('greet', message => received.push(message.string()))
    await other.connection.flush()
    connection.publish('greet', Buffer.from('one'))
    await expect.poll(() => received).toEqual(['one'])
    await server.kill()
    await expect.poll(() => log).toHaveLength(1)
    expect(log[0]).toContain(`down: The connection to NATS at 127.0.0.1:${server.port} was lost`)
    connection.publish('greet', Buffer.from('dropped'))
    await server.restart()
    await expect.poll(() => [log.length, other.log.length]).toEqual([2, 2])
    // The server must have the subscription again before it gets the message.
    await other.connection.flush()
    connection.publish('greet', Buffer.from('two'))
    await expect.poll(() => received).toEqual(['one', 'two'])
  })

  test('reports a listener that throws, and goes on', async () => {
    const server = await useServer()
    const [receiver, sender] = [await open({ servers: server.url }), await open({ servers: server.url })]
    let count = 0
    receiver.connection.subscribe('greet', () => {
      if (++count === 1) throw new Error('oh')
    })
    await receiver.connection.flush()
    sender.connection.publish('greet', Buffer.from('one'))
    sender.connection.publish('greet', Buffer.from('two'))
    await expect.poll(() => count).toBe(2)
    expect(receiver.log).toEqual(['fault: InternalError Processing a message to greet failed: oh'])
  })

  test('is lost when its server is stopped', async () => {
    const server = await useServer()
    const { log } = await open({ servers: server.url }, 100)
    server.pause()
    await expect.poll(() => log).toEqual([expect.stringContaining('the server did not answer pings')])
    server.resume()
    await expect.poll(() => log).toContain('up')
  })

  test('reports which subscription is not permitted', async () => {
    const permissions = 'permissions { subscribe: ["allowed"], publish: ["allowed"] }'
    const server = await useServer({
      config: `authorization { users: [{ user: ann, password: right, ${permissions} }] }`,
    })
    const { connection, log } = await open({ servers: server.url, user: 'ann', pass: 'right' })
    connection.subscribe('allowed', () => {})
    await connection.flush()
    connection.subscribe('secret', () => {})
    await expect(connection.flush()).rejects.toMatchObject({
      reason: 'Denied',
      message: expect.stringContaining('secret'),
    })
    connection.publish('elsewhere', Buffer.from('x'))
    await expect
      .poll(() => log)
      .toContainEqual(expect.stringContaining('fault: Denied NATS refused publishing to elsewhere'))
    // What the server has refused before does not end the connection.
    await server.kill()
    await expect.poll(() => log.at(-1)).toMatch(/^down: .* was lost: the server closed the connection$/)
  })

  test('rejects messages that are larger than the server accepts', async () => {
    const server = await useServer({ config: 'max_payload: 1000' })
    const { connection } = await open({ servers: server.url })
    expect(connection.maxPayload).toBe(1000)
    const message = expect.stringContaining("exceeds the server's limit of 1000 bytes") as string
    const overloaded = expect.objectContaining({ reason: 'Overloaded', message }) as Error
    expect(() => connection.publish('greet', new Uint8Array(1001))).toThrow(overloaded)
    await connection.close()
    expect(() => connection.publish('greet', new Uint8Array(1))).toThrow('closed')
  })

  test('closes while its server is down', async () => {
    const server = await useServer()
    const { connection, log } = await open({ servers: server.url })
    await server.kill()
    await expect.poll(() => log).toHaveLength(1)
    await connection.close()
    expect(log).toHaveLength(1)
  })
})
