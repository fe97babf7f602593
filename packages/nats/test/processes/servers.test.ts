// A NATS server that is killed, stopped or gone under load: each call settles once, and later calls succeed.
import { describe, expect, test } from 'vitest'
import type { Report } from '../check-calls.js'
import {
  closeProcesses,
  type ProcessNetwork,
  SHORT_HEARTBEAT_MS,
  TIMEOUT_MS,
  trackFailures,
  useProcesses,
  waitForAnswers,
} from '../process-network.js'
import type { Process } from '../processes.js'
import { hasServer, useServer } from '../server.js'

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

async function start(network: ProcessNetwork, load: object = {}): Promise<[joined: Process, ...cores: Process[]]> {
  const [joined, ...cores] = await Promise.all([network.startJoined(), network.startCore('a'), network.startCore('b')])
  await joined.call('connect', { label: 'balanced' })
  await joined.call('connect', { label: 'sticky', sticky: true, codec: 'msgpack' })
  await joined.call('open', { label: 'worker' })
  for (const label of LABELS) await joined.call('load', { label, timeout: 2000, ...load })
  const args = { name: 'worker', timeout: 2000, ...load }
  await joined.call('worker', { label: 'worker', method: 'load', args })
  await waitForWork(joined)
  return [joined, ...cores]
}

async function end(network: ProcessNetwork, [joined, ...cores]: [Process, ...Process[]]): Promise<void> {
  await network.settle([joined, 'balanced'], [joined, 'sticky'], await callWorker<Report>(joined, 'settle'))
  await closeProcesses(joined, ...cores)
}

describe.skipIf(!hasServer)('calls settle once', { timeout: 3 * TIMEOUT_MS }, () => {
  test('when the server is killed, is stopped for a while, and is gone for good: brownfield', async () => {
    const server = await useServer()
    const network = await useProcesses({ servers: server.url }, 'brownfield', SHORT_HEARTBEAT_MS)
    const processes = await start(network)
    const [joined] = processes
    await loseCalls(joined, () => server.kill())
    await server.restart()
    await waitForWork(joined)
    await loseCalls(joined, () => server.pause())
    server.resume()
    await waitForWork(joined)
    await loseCalls(joined, () => server.kill())
    await end(network, processes)
  })

  test('when the server is killed twice, within fragments of large frames: isolation', async () => {
    const server = await useServer({ config: 'max_payload: 64KB' })
    const network = await useProcesses({ servers: server.url }, 'isolation')
    const processes = await start(network, { size: 300_000 })
    const [joined] = processes
    for (let round = 0; round < 2; round++) {
      await loseCalls(joined, () => server.kill())
      await server.restart()
      await waitForWork(joined)
    }
    await end(network, processes)
  })
})
