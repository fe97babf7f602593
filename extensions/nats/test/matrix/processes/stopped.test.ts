// Processes that are stopped (SIGSTOP) and resume later: their sessions have ended meanwhile, and nothing that they do late runs twice.
import type { NetworkStats } from '@sallyport/core/internal/network'
import { describe, expect, test } from 'vitest'
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
import { hasServer, useServer } from '../../long/server.js'

const countSessions = async (core: Process): Promise<number> => {
  const { instance, instances } = await core.call<NetworkStats>('stats')
  return instances[instance]!.sessions
}

describe.skipIf(!hasServer)('calls settle, and later calls succeed,', { timeout: 3 * TIMEOUT_MS }, () => {
  test('when a joined process and an instance are stopped and resumed', async () => {
    const { url } = await useServer()
    const network = await useProcesses({ servers: url }, 'isolation', SHORT_HEARTBEAT_MS)
    const [a, stopped, other] = await Promise.all([
      network.startCore('a'),
      network.startJoined(),
      network.startJoined(),
    ])
    await stopped.call('connect', { label: 'stopped' })
    await other.call('connect', { label: 'other' })
    await stopped.call('load', { label: 'stopped', parallel: 8, ms: 10, timeout: 2000 })
    await other.call('load', { label: 'other', parallel: 8, ms: 10, timeout: 500 })
    await waitForAnswers(stopped, 'stopped')
    const held = stopped.call('invoke', { label: 'stopped', command: 'hold' })
    // A busy machine can end the session before.
    held.catch(() => {})
    await waitForAnswers(stopped, 'stopped')

    stopped.pause()
    await expect.poll(() => countSessions(a), { timeout: TIMEOUT_MS }).toBe(1)
    await waitForAnswers(other, 'other')
    stopped.resume()
    await expect(held).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    await waitForAnswers(stopped, 'stopped')
    await waitForAnswers(other, 'other')

    const b = await network.startCore('b')
    await waitForInstances(other, 'other')
    const failed = await trackFailures(other, 'other')
    a.pause()
    await failed()
    await waitForAnswers(other, 'other', 50)
    a.resume()
    await waitForInstances(other, 'other')
    await network.settle([stopped, 'stopped'], [other, 'other'])
    await closeProcesses(stopped, other, a, b)
  })
})
