// A joined process that is killed, and what is under way between processes when the way between them ends: calls both ways,
// streams, and handlers that wait. All of it settles, at both ends.
import type { NetworkStats } from '@sallyport/core/network'
import { describe, expect, test } from 'vitest'
import type { Process } from '../processes.js'
import { end, PATIENCE, progress, useScene } from '../scene.js'
import { hasServer, useServer } from '../server.js'

/** A call each way, and a stream, which end by nothing but a fault. Gives how they have settled. */
async function underWay(core: Process, joined: Process, label: string): Promise<() => Promise<unknown[]>> {
  const all = [
    joined.ask('invoke', { label, command: 'hold' }),
    joined.ask('numbers', { label, to: Number.MAX_SAFE_INTEGER }),
    core.ask('call', { label, method: 'never' }),
  ]
  const reasons = all.map(each => each.catch((error: unknown) => (error as { reason?: string }).reason))
  await expect.poll(() => inFlight(core), { timeout: PATIENCE }).toBe(2)
  return () => Promise.all(reasons)
}

async function inFlight(core: Process): Promise<number> {
  return (await core.ask<NetworkStats>('stats')).total.inFlight
}

describe.skipIf(!hasServer).each(['brownfield', 'isolation'] as const)('%s', { timeout: 3 * PATIENCE }, pattern => {
  test('a joined process is killed, and another takes its labels', async () => {
    const { url } = await useServer()
    const scene = await useScene({ servers: url }, pattern)
    const [core, killed] = [await scene.core('a'), await scene.joined()]
    await killed.ask('connect', { label: 'app', sticky: true })
    await killed.ask('open', { label: 'guest' })
    const settled = await underWay(core, killed, 'app')
    await killed.kill()
    expect((await settled())[2]).toBe('Disconnected')
    await expect.poll(() => inFlight(core), { timeout: PATIENCE }).toBe(0)
    await expect.poll(async () => (await core.ask<NetworkStats>('stats')).total.sessions).toBe(0)
    const other = await scene.joined()
    await other.ask('connect', { label: 'app' })
    await other.ask('open', { label: 'guest' })
    expect(await core.ask('call', { label: 'app', method: 'where' })).toBe(other.pid)
    await end(other, core)
  })

  test('the server ends: what is under way settles at both ends, and can be begun again', async () => {
    const server = await useServer()
    const scene = await useScene({ servers: server.url }, pattern)
    const [core, joined] = [await scene.core('a'), await scene.joined()]
    await joined.ask('connect', { label: 'app', sticky: true })
    await joined.ask('connect', { label: 'load' })
    const settled = await underWay(core, joined, 'app')
    await server.kill()
    expect(await settled()).toEqual(['Disconnected', 'Disconnected', 'Disconnected'])
    await expect.poll(() => inFlight(core), { timeout: PATIENCE }).toBe(0)
    await server.restart()
    await joined.ask('load', { label: 'load' })
    await progress(joined, 'load')
    const where = (): Promise<unknown> => core.ask('call', { label: 'app', method: 'where' }).catch(() => undefined)
    await expect.poll(where, { timeout: PATIENCE }).toBe(joined.pid)
    await underWay(core, joined, 'app')
    await scene.settle([joined, 'load'])
    await end(joined, core)
  })
})
