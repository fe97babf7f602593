// Calls in flight between processes while the server or the joined process is killed: calls in both directions and streams settle at both
// ends.
import type { NetworkStats } from '@sallyport/core/internal/network'
import { describe, expect, test } from 'vitest'
import { closeProcesses, TIMEOUT_MS, useProcesses, waitForAnswers } from '../../long/process-network.js'
import type { Process } from '../../long/processes.js'
import { hasServer, useServer } from '../../long/server.js'

/** Starts a call in each direction and a stream, which only a fault ends. Returns a function that waits for their reasons. */
async function startEndless(core: Process, joined: Process, label: string): Promise<() => Promise<unknown[]>> {
  const calls = [
    joined.call('invoke', { label, command: 'hold' }),
    joined.call('numbers', { label, to: Number.MAX_SAFE_INTEGER }),
    core.call('invoke', { label, method: 'never' }),
  ]
  const reasons = calls.map(call => call.catch((error: unknown) => (error as { reason?: string }).reason))
  await expect.poll(() => countInFlight(core), { timeout: TIMEOUT_MS }).toBe(2)
  return () => Promise.all(reasons)
}

const countInFlight = async (core: Process): Promise<number> => (await core.call<NetworkStats>('stats')).total.inFlight

describe.skipIf(!hasServer)('calls in flight settle at both ends', { timeout: 3 * TIMEOUT_MS }, () => {
  test('when the server restarts, and when the joined process is killed and another takes its labels', async () => {
    const server = await useServer()
    const network = await useProcesses({ servers: server.url }, 'isolation')
    const [core, killed] = await Promise.all([network.startCore('a'), network.startJoined()])
    await killed.call('connect', { label: 'app', sticky: true })
    await killed.call('connect', { label: 'load' })
    await killed.call('open', { label: 'worker' })
    const endBeforeRestart = await startEndless(core, killed, 'app')
    await server.kill()
    expect(await endBeforeRestart()).toEqual(['Disconnected', 'Disconnected', 'Disconnected'])
    await expect.poll(() => countInFlight(core), { timeout: TIMEOUT_MS }).toBe(0)
    await server.restart()
    await killed.call('load', { label: 'load' })
    await waitForAnswers(killed, 'load')
    await network.settle([killed, 'load'])
    const callApp = (): Promise<unknown> =>
      core.call('invoke', { label: 'app', method: 'where' }).catch(() => undefined)
    await expect.poll(callApp, { timeout: TIMEOUT_MS }).toBe(killed.pid)

    const endBeforeKill = await startEndless(core, killed, 'app')
    await killed.kill()
    expect((await endBeforeKill())[2]).toBe('Disconnected')
    await expect.poll(() => countInFlight(core), { timeout: TIMEOUT_MS }).toBe(0)
    await expect.poll(async () => (await core.call<NetworkStats>('stats')).total.sessions).toBe(0)
    const other = await network.startJoined()
    await other.call('connect', { label: 'app' })
    await other.call('open', { label: 'worker' })
    expect(await core.call('invoke', { label: 'app', method: 'where' })).toBe(other.pid)
    await closeProcesses(other, core)
  })
})
