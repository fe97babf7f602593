// A cluster of three servers: each process is connected to one of them, and changes to another when that one is lost.
import { expect, test } from 'vitest'
import {
  closeProcesses,
  TIMEOUT_MS,
  trackFailures,
  useProcesses,
  waitForAnswers,
  waitForInstances,
} from '../../long/process-network.js'
import { hasServer, useCluster, waitForCluster } from '../../long/server.js'

const config = 'lame_duck_duration: "30s", lame_duck_grace_period: "100ms"'

test.skipIf(!hasServer)(
  'processes change to other servers of a cluster when servers are killed or drained',
  { timeout: 4 * TIMEOUT_MS },
  async () => {
    const servers = await useCluster(3, config)
    // Each process knows one server, and discovers the others.
    const [a, b, c] = servers.map(({ url }) => ({ nats: { servers: url } }))
    const network = await useProcesses({ servers: 'nats://127.0.0.1:1' })
    const [joined, ...cores] = await Promise.all([
      network.startJoined({ join: c }),
      network.startCore('a', a),
      network.startCore('b', b),
    ])
    await joined.call('connect', { label: 'balanced' })
    await joined.call('load', { label: 'balanced', parallel: 8, ms: 5 })
    await waitForInstances(joined, 'balanced')

    for (const server of servers) {
      const failed = await trackFailures(joined, 'balanced')
      await server.kill()
      await failed()
      await waitForInstances(joined, 'balanced')
      await server.restart()
      await waitForCluster(servers)
    }
    await waitForInstances(joined, 'balanced')

    // All processes are connected to the first two servers now, because the third one was killed last.
    const failed = await trackFailures(joined, 'balanced')
    for (const server of servers.slice(0, 2)) {
      server.lameDuck()
      await expect.poll(() => server.log(), { timeout: TIMEOUT_MS }).toContain('Server Exiting')
      await waitForAnswers(joined, 'balanced')
      await waitForInstances(joined, 'balanced')
    }
    await failed()
    await network.settle([joined, 'balanced'])
    await closeProcesses(joined, ...cores)
  },
)
