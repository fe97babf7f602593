import { expect, onTestFinished, test } from 'vitest'
import { connectNats } from '../../src/connection/process-connection.js'
import { hasServer, useServer } from '../long/server.js'

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
