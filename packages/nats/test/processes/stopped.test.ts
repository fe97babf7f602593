// Processes that stand still, and go on when nobody counts on them any more: their sessions were found dead and have settled, and
// what they do late is done by nobody twice.
import type { NetworkStats } from '@sallyport/core/network'
import { describe, expect, test } from 'vitest'
import type { Process } from '../processes.js'
import { end, failures, PATIENCE, progress, SOON, spread, useScene } from '../scene.js'
import { hasServer, useServer } from '../server.js'

const sessionsOf = async (core: Process): Promise<number> => {
  const { instance, instances } = await core.ask<NetworkStats>('stats')
  return instances[instance]!.sessions
}

describe.skipIf(!hasServer)('a process that stands still', { timeout: 3 * PATIENCE }, () => {
  test.each(['brownfield', 'isolation'] as const)('one that has joined: %s', async pattern => {
    const { url } = await useServer()
    const scene = await useScene({ servers: url }, pattern, SOON)
    const [core, stopped, other] = [await scene.core('a'), await scene.joined(), await scene.joined()]
    await stopped.ask('connect', { label: 'stopped' })
    await other.ask('connect', { label: 'other' })
    await stopped.ask('load', { label: 'stopped', parallel: 8, ms: 10, timeout: 2000 })
    await other.ask('load', { label: 'other' })
    await progress(stopped, 'stopped')
    const held = stopped.ask('invoke', { label: 'stopped', command: 'hold' })
    await progress(stopped, 'stopped')

    stopped.stop()
    await expect.poll(() => sessionsOf(core), { timeout: PATIENCE }).toBe(1)
    // Its handler was aborted, and counts as under way no more.
    await progress(other, 'other')
    stopped.resume()
    await expect(held).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    await progress(stopped, 'stopped')
    await progress(other, 'other')
    await scene.settle([stopped, 'stopped'], [other, 'other'])
    await end(stopped, other, core)
  })

  test.each(['brownfield', 'isolation'] as const)('one of two instances: %s', async pattern => {
    const { url } = await useServer()
    const scene = await useScene({ servers: url }, pattern, SOON)
    const [stopped, other] = await Promise.all([scene.core('a'), scene.core('b')])
    const joined = await scene.joined()
    await joined.ask('connect', { label: 'spread' })
    await joined.ask('load', { label: 'spread', parallel: 8, ms: 10, timeout: 500 })
    await spread(joined, 'spread')
    const lost = await failures(joined, 'spread')
    stopped.stop()
    await lost()
    await progress(joined, 'spread', 50)
    stopped.resume()
    await spread(joined, 'spread')
    await scene.settle([joined, 'spread'])
    await end(joined, stopped, other)
  })
})
