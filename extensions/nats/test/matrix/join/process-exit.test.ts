// A process exits by itself once it has left the bus.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { hasServer } from '../../long/server.js'
import { getHook, useNetwork } from '../../long/join/test-network.js'

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
