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

// A process that is stopped during a flood of events: the server closes the connection of this slow consumer, and other processes are
// not affected.
describe('during a flood of events', () => {
  const LABELS = ['first', 'second', 'third', 'fourth']

  test.skipIf(!hasServer)(
    'a slow consumer is disconnected by the server, delays no other process, and reconnects',
    { timeout: 3 * TIMEOUT_MS },
    async () => {
      const server = await useServer({ config: 'max_pending: 4MB, write_deadline: "300ms"' })
      // Longer than the write deadline: the sessions end because the server closes the connection.
      const network = await useProcesses({ servers: server.url }, 'brownfield', 20_000)
      const [core, stopped, other] = await Promise.all([
        network.startCore('a'),
        network.startJoined(),
        network.startJoined(),
      ])
      await other.call('connect', { label: 'other' })
      await other.call('load', { label: 'other' })
      for (const label of LABELS) {
        await stopped.call('connect', { label, sticky: true })
        await stopped.call('listen', { label, event: 'flood' })
      }
      const before = await core.call<number>('memory')
      stopped.pause()
      const flood = { event: 'flood', count: 300, size: 100_000 }
      for (const to of LABELS) await other.call('invoke', { label: 'other', command: 'flood', args: { ...flood, to } })
      await expect.poll(() => server.log(), { timeout: TIMEOUT_MS }).toMatch(/Slow Consumer/)
      await waitForAnswers(other, 'other', 100)
      // The flood has 120 MB.
      expect((await core.call<number>('memory')) - before).toBeLessThan(300 * 2 ** 20)

      stopped.resume()
      for (const label of LABELS) {
        const invoke = (): Promise<unknown> => stopped.call('invoke', { label, command: 'who' }).catch(() => undefined)
        await expect.poll(invoke, { timeout: TIMEOUT_MS }).toBe('a')
      }
      const getLatest = async (): Promise<unknown> => {
        await core.call('emit', { event: 'flood', payload: 'again' })
        return (await stopped.call<unknown[]>('received')).at(-1)
      }
      await expect.poll(getLatest, { timeout: TIMEOUT_MS }).toBe('again')
      const [report] = await network.settle([other, 'other'])
      expect(report!.failures).toEqual({})
      await closeProcesses(stopped, other, core)
    },
  )
})
