// Two instances and two joined processes without faults: no call fails, each event is received once, and all processes exit by
// themselves.
import type { NetworkStats } from '@sallyport/core/internal/network'
import { describe, expect, test } from 'vitest'
import type { Report } from '../../long/check-calls.js'
import {
  closeProcesses,
  LONG_HEARTBEAT_MS,
  TIMEOUT_MS,
  useProcesses,
  waitForAnswers,
  waitForInstances,
} from '../../long/process-network.js'
import { hasServer, useServer } from '../../long/server.js'

describe.skipIf(!hasServer)('processes without faults', { timeout: 2 * TIMEOUT_MS }, () => {
  test('call, stream, emit and listen with connections and a frontend in a worker', async () => {
    const { url } = await useServer()
    const network = await useProcesses({ servers: url }, 'isolation', LONG_HEARTBEAT_MS)
    const [a, b, first, second] = await Promise.all([
      network.startCore('a'),
      network.startCore('b'),
      network.startJoined(),
      network.startJoined(),
    ])
    await first.call('connect', { label: 'first' })
    await second.call('connect', { label: 'second' })
    await second.call('connect', { label: 'sticky', sticky: true })
    await second.call('open', { label: 'worker' })
    expect(await first.call('numbers', { label: 'first', to: 500 })).toBe(500)

    for (const [process, label] of [
      [first, 'first'],
      [second, 'second'],
      [second, 'sticky'],
    ] as const)
      await process.call('load', { label, ms: 0 })
    await second.call('worker', { label: 'worker', method: 'load', args: { name: 'worker', ms: 0 } })
    await waitForInstances(first, 'first')
    await waitForInstances(second, 'second')
    await waitForAnswers(first, 'first', 200)
    await waitForAnswers(second, 'sticky')
    for (const core of [a, b]) expect(await core.call('invoke', { label: 'first', method: 'where' })).toBe(first.pid)
    await expect
      .poll(() => second.call('worker', { label: 'worker', method: 'answered' }), { timeout: TIMEOUT_MS })
      .toBeGreaterThan(20)

    // A balanced connection has sessions with both instances, and receives each event once.
    for (const [process, label] of [
      [first, 'first'],
      [second, 'second'],
    ] as const)
      await process.call('listen', { label, event: 'news' })
    for (let at = 0; at < 10; at++) await first.call('emit', { label: 'first', event: 'news', payload: at })
    const expectEvents = async (events: unknown[]): Promise<void> => {
      for (const process of [first, second])
        await expect.poll(() => process.call('received'), { timeout: TIMEOUT_MS }).toEqual(events)
      for (const core of [a, b]) await expect.poll(() => core.call('news'), { timeout: TIMEOUT_MS }).toEqual(events)
    }
    const ten = [...Array(10).keys()]
    await expectEvents(ten)
    await b.call('emit', { event: 'news', payload: 'from b' })
    await expectEvents([...ten, 'from b'])

    const workerReport = await second.call<Report>('worker', { label: 'worker', method: 'settle' })
    const reports = await network.settle([first, 'first'], [second, 'second'], [second, 'sticky'], workerReport)
    expect(reports.map(({ failures }) => failures)).toEqual(reports.map(() => ({})))
    expect(Object.keys(reports[2]!.instances)).toHaveLength(1)
    const getTotal = async (): Promise<object> => (await a.call<NetworkStats>('stats')).total
    await expect.poll(getTotal).toMatchObject({ sessions: 6, inFlight: 0 })
    for (const process of [first, second, a, b]) expect(await process.call('faults')).toEqual([])
    await closeProcesses(first, second, a, b)
  })
})
