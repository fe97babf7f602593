// Instances that exit under load: their calls settle, and the other instances take the next calls.
import type { NetworkStats } from '@sallyport/core/internal/network'
import { describe, expect, test } from 'vitest'
import {
  closeProcesses,
  TIMEOUT_MS,
  trackFailures,
  useProcesses,
  waitForAnswers,
  waitForInstances,
} from '../../long/process-network.js'
import type { Process } from '../../long/processes.js'
import { hasServer, useServer } from '../../long/server.js'
import type { Report } from '../../long/check-calls.js'

const getInstances = async (core: Process): Promise<string[]> =>
  Object.keys((await core.call<NetworkStats>('stats')).instances).toSorted()

describe.skipIf(!hasServer)('calls settle, and later calls succeed,', { timeout: 3 * TIMEOUT_MS }, () => {
  test('when an instance is killed and replaced, and when the other one closes', async () => {
    const { url } = await useServer()
    const network = await useProcesses({ servers: url }, 'isolation')
    const [a, b, joined] = await Promise.all([network.startCore('a'), network.startCore('b'), network.startJoined()])
    await joined.call('connect', { label: 'balanced' })
    await joined.call('load', { label: 'balanced', parallel: 16, ms: 20 })
    await waitForInstances(joined, 'balanced')

    const failed = await trackFailures(joined, 'balanced')
    await a.kill()
    await failed()
    await waitForAnswers(joined, 'balanced')
    const replacement = await network.startCore('a')
    await waitForInstances(joined, 'balanced')
    await expect.poll(() => getInstances(b), { timeout: TIMEOUT_MS }).toEqual(['a', 'b'])
    const { failures, unknown, undelivered } = await joined.call<Report>('report', 'balanced')
    // Only the calls in flight at `a` have failed.
    expect(failures).toEqual({ Disconnected: unknown.length + undelivered.length })
    expect(unknown.length).toBeLessThanOrEqual(16)

    await joined.call('connect', { label: 'sticky', sticky: true })
    await joined.call('load', { label: 'sticky', parallel: 16, ms: 5 })
    await waitForAnswers(joined, 'sticky')
    await closeProcesses(b)
    for (const label of ['balanced', 'sticky']) await waitForAnswers(joined, label)
    await network.settle([joined, 'balanced'], [joined, 'sticky'])
    await closeProcesses(joined, replacement)
  })

  test('when the only core exits and restarts, and when its process is killed and another one starts', async () => {
    const { url } = await useServer()
    const network = await useProcesses({ servers: url })
    const [core, joined] = await Promise.all([network.startCore('a'), network.startJoined()])
    const labels = ['balanced', 'sticky']
    for (const label of labels) {
      await joined.call('connect', { label, sticky: label === 'sticky' })
      await joined.call('load', { label })
      await waitForAnswers(joined, label)
    }
    const last = joined.call('invoke', { label: 'sticky', command: 'die' }).catch((error: unknown) => error)
    await expect.poll(() => core.call('restarts'), { timeout: TIMEOUT_MS }).toEqual(['core'])
    expect(await last).toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    for (const label of labels) await waitForAnswers(joined, label)

    const failed = await trackFailures(joined, 'balanced')
    await core.kill()
    await failed(10)
    const later = await network.startCore('b')
    for (const label of labels) await waitForAnswers(joined, label)
    await network.settle([joined, 'balanced'], [joined, 'sticky'])
    await closeProcesses(joined, later)
  })
})
