// Instances that exit under load: their calls settle, and other or later instances take the next calls.
import type { NetworkStats } from '@sallyport/core/network'
import { describe, expect, test } from 'vitest'
import {
  closeProcesses,
  TIMEOUT_MS,
  trackFailures,
  useProcesses,
  waitForAnswers,
  waitForInstances,
} from '../process-network.js'
import { hasServer, useServer } from '../server.js'

const LABELS = ['balanced', 'sticky']

describe.skipIf(!hasServer)('calls settle, and later calls succeed,', { timeout: 3 * TIMEOUT_MS }, () => {
  test.each([
    ['brownfield', 'after its calls have failed'],
    ['isolation', 'at once'],
  ] as const)('when an instance is killed, and another one takes its name: %s, %s', async (pattern, when) => {
    const { url } = await useServer()
    const network = await useProcesses({ servers: url }, pattern)
    const [a, b, joined] = await Promise.all([network.startCore('a'), network.startCore('b'), network.startJoined()])
    await joined.call('connect', { label: 'balanced' })
    await joined.call('load', { label: 'balanced', parallel: 16, ms: 20 })
    await waitForInstances(joined, 'balanced')
    const failed = await trackFailures(joined, 'balanced')
    await a.kill()
    const starting = when === 'at once' ? network.startCore('a') : undefined
    // More calls in flight than before: some go to the killed instance, which the server reports.
    await joined.call('load', { label: 'balanced', name: 'more', parallel: 32, ms: 20 })
    await failed()
    await waitForAnswers(joined, 'balanced')
    const replacement = await (starting ?? network.startCore('a'))
    await waitForInstances(joined, 'balanced')
    const getInstances = async () => Object.keys((await b.call<NetworkStats>('stats')).instances).toSorted()
    await expect.poll(getInstances, { timeout: TIMEOUT_MS }).toEqual(['a', 'b'])
    const [report] = await network.settle([joined, 'balanced'], [joined, 'more'])
    // Only the calls in flight at `a` have failed.
    expect(report!.failures).toEqual({ Disconnected: report!.unknown.length + report!.undelivered.length })
    expect(report!.unknown.length).toBeLessThanOrEqual(16)
    await closeProcesses(joined, replacement, b)
  })

  test('when an instance closes', async () => {
    const { url } = await useServer()
    const network = await useProcesses({ servers: url })
    const [a, b, joined] = await Promise.all([network.startCore('a'), network.startCore('b'), network.startJoined()])
    for (const label of LABELS) {
      await joined.call('connect', { label, sticky: label === 'sticky' })
      await joined.call('load', { label, parallel: 16 })
    }
    await waitForInstances(joined, 'balanced')
    await closeProcesses(a)
    for (const label of LABELS) await waitForAnswers(joined, label)
    await network.settle([joined, 'balanced'], [joined, 'sticky'])
    await closeProcesses(joined, b)
  })

  test('when the only core exits and restarts', async () => {
    const { url } = await useServer()
    const network = await useProcesses({ servers: url })
    const [core, joined] = await Promise.all([network.startCore('a'), network.startJoined()])
    for (const label of LABELS) {
      await joined.call('connect', { label, sticky: label === 'sticky' })
      await joined.call('load', { label })
      await waitForAnswers(joined, label)
    }
    const last = joined.call('invoke', { label: 'sticky', command: 'die' }).catch((error: unknown) => error)
    await expect.poll(() => core.call('restarts'), { timeout: TIMEOUT_MS }).toEqual(['core'])
    expect(await last).toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    for (const label of LABELS) await waitForAnswers(joined, label)
    await network.settle([joined, 'balanced'], [joined, 'sticky'])
    await closeProcesses(joined, core)
  })

  test('when the only process with a core is killed, and another one starts', async () => {
    const { url } = await useServer()
    const network = await useProcesses({ servers: url })
    const [core, joined] = await Promise.all([network.startCore('a'), network.startJoined()])
    await joined.call('connect', { label: 'balanced' })
    await joined.call('load', { label: 'balanced' })
    await waitForAnswers(joined, 'balanced')
    const failed = await trackFailures(joined, 'balanced')
    await core.kill()
    // The server reports that these calls have no receiver.
    await joined.call('load', { label: 'balanced', name: 'more' })
    await failed(10)
    const later = await network.startCore('b')
    await waitForAnswers(joined, 'balanced')
    await network.settle([joined, 'balanced'], [joined, 'more'])
    await closeProcesses(joined, later)
  })
})
