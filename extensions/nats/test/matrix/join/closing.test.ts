import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { hasServer } from '../../long/server.js'
import { useNetwork, getHook } from '../../long/join/test-network.js'

describe.skipIf(!hasServer)('closing', () => {
  test('does not wait for a server that is stopped', async () => {
    const network = await useNetwork()
    // With this heartbeat, pings would detect the loss only after minutes.
    const { bus } = await network.startInstance('a', {}, { heartbeat: 60_000 })
    const joined = await network.join({ heartbeat: 60_000 })
    const clients = [await joined.connect('balanced'), await joined.connect('sticky', { sticky: true })]
    for (const client of clients) expect(await client.invoke('who')).toBe('a')
    network.server.pause()
    const held = Promise.allSettled(clients.map(client => client.invoke('hold')))
    await Promise.all([joined.close(), bus.close({ timeout: 0 })])
    for (const outcome of await held) {
      expect(outcome).toMatchObject({ reason: { reason: 'Disconnected', data: { delivered: 'unknown' } } })
    }
  })

  test('does not wait for connections in flight, and does nothing with invalid options', async () => {
    const network = await useNetwork()
    const joined = await network.join()
    const settled = Promise.allSettled([joined.connect('balanced'), joined.connect('sticky', { sticky: true })])
    await expect(joined.close({ timeout: -1 })).rejects.toMatchObject({ reason: 'InvalidParams' })
    await joined.close()
    // Not the timeout of 10 s without an answer of core.
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ reason: { message: 'The frontend exited before it was connected' } })
    }
  })
})

// A process exits by itself once it has left the bus.
describe('a process that has left', () => {
  const run = promisify(execFile)

  describe.skipIf(!hasServer).each(['brownfield', 'isolation'] as const)('%s', pattern => {
    test('a process exits once it has closed the joined bus', async () => {
      const network = await useNetwork(pattern)
      await Promise.all([network.startInstance('a'), network.startInstance('b')])
      const options = {
        nats: { servers: network.server.url },
        bus: 'test',
        credentials: ['balanced', 'sticky', 'worker'].map(label => network.createCredential(label)),
      }
      const script = fileURLToPath(new URL('../../long/join/fixtures/joined-process.mjs', import.meta.url))
      const dir = pattern === 'isolation' ? getHook('judge').href : ''
      // Rejects unless the process exits by itself with code 0.
      const { stdout } = await run(process.execPath, [script, JSON.stringify(options), dir], { timeout: 60_000 })
      expect(JSON.parse(stdout)).toEqual({ answers: [3, 3], worker: 3, left: [] })
    })
  })
})
