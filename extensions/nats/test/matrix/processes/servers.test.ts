// A NATS server that is killed, stopped or gone under load: each call settles once, and later calls succeed.
import { describe, expect, test } from 'vitest'
import type { Report } from '../../long/check-calls.js'
import {
  closeProcesses,
  SHORT_HEARTBEAT_MS,
  TIMEOUT_MS,
  trackFailures,
  useProcesses,
  waitForAnswers,
  waitForInstances,
} from '../../long/process-network.js'
import type { Process } from '../../long/processes.js'
import { hasServer, useServer, useCluster, waitForCluster } from '../../long/server.js'

const LABELS = ['balanced', 'sticky']

const callWorker = <T>(joined: Process, method: string): Promise<T> =>
  joined.call('worker', { label: 'worker', method })

/** Waits until all kinds of frontends get answers. */
async function waitForWork(joined: Process): Promise<void> {
  const before = await callWorker<number>(joined, 'answered')
  await Promise.all(LABELS.map(label => waitForAnswers(joined, label)))
  await expect.poll(() => callWorker(joined, 'answered'), { timeout: TIMEOUT_MS }).toBeGreaterThan(before + 20)
}

/** Runs a fault, and waits until both connections have lost four calls each. */
async function loseCalls(joined: Process, fault: () => Promise<void> | void): Promise<void> {
  const failed = await Promise.all(LABELS.map(label => trackFailures(joined, label)))
  await fault()
  for (const waitForFailures of failed) await waitForFailures(4)
}

describe.skipIf(!hasServer)('calls settle once', { timeout: 3 * TIMEOUT_MS }, () => {
  test.each([
    ['brownfield', {}, SHORT_HEARTBEAT_MS],
    // Fragments of some frames are lost when the server is killed.
    ['isolation', { size: 300_000, ms: 0 }, 1000],
  ] as const)(
    'when the server is killed and restarted twice, is stopped for a while, and is gone for good: %s, %o',
    async (pattern, load, heartbeat) => {
      const server = await useServer({ config: 'max_payload: 64KB' })
      const network = await useProcesses({ servers: server.url }, pattern, heartbeat)
      const [joined, ...cores] = await Promise.all([
        network.startJoined(),
        network.startCore('a'),
        network.startCore('b'),
      ])
      await joined.call('connect', { label: 'balanced' })
      await joined.call('connect', { label: 'sticky', sticky: true })
      await joined.call('open', { label: 'worker' })
      for (const label of LABELS) await joined.call('load', { label, timeout: 2000, ...load })
      const args = { name: 'worker', timeout: 2000, ...load }
      await joined.call('worker', { label: 'worker', method: 'load', args })

      for (let round = 0; round < 2; round++) {
        await waitForWork(joined)
        await loseCalls(joined, () => server.kill())
        await server.restart()
      }
      await waitForWork(joined)
      await loseCalls(joined, () => server.pause())
      server.resume()
      await waitForWork(joined)
      await loseCalls(joined, () => server.kill())
      await network.settle([joined, 'balanced'], [joined, 'sticky'], await callWorker<Report>(joined, 'settle'))
      await closeProcesses(joined, ...cores)
    },
  )
})

// A cluster of three servers: each process is connected to one of them, and changes to another when that one is lost.
describe('in a cluster of three servers', () => {
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
})
