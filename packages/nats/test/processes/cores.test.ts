// Instances of core that end under load, in each way that there is: what was there settles, and the others take the calls.
import type { NetworkStats } from '@sallyport/core/network'
import { describe, expect, test } from 'vitest'
import { end, failures, PATIENCE, progress, spread, useScene } from '../scene.js'
import { hasServer, useServer } from '../server.js'

describe.skipIf(!hasServer)('an instance', { timeout: 3 * PATIENCE }, () => {
  test.each(['brownfield', 'isolation'] as const)(
    'that is killed, and another in its place, under its name: %s',
    async pattern => {
      const { url } = await useServer()
      const scene = await useScene({ servers: url }, pattern)
      const [a, b] = await Promise.all([scene.core('a'), scene.core('b')])
      const joined = await scene.joined()
      await joined.ask('connect', { label: 'spread' })
      await joined.ask('load', { label: 'spread', parallel: 16, ms: 20 })
      await spread(joined, 'spread')
      const lost = await failures(joined, 'spread')
      await a.kill()
      await lost()
      await progress(joined, 'spread')
      const again = await scene.core('a')
      await spread(joined, 'spread')
      const stats = async () => Object.keys((await b.ask<NetworkStats>('stats')).instances).toSorted()
      await expect.poll(stats, { timeout: PATIENCE }).toEqual(['a', 'b'])
      const [report] = await scene.settle([joined, 'spread'])
      // What was under way at `a`, and nothing that was at `b`.
      expect(report!.failures).toEqual({ Disconnected: report!.unknown.length + report!.undelivered.length })
      expect(report!.unknown.length).toBeLessThanOrEqual(16)
      await end(joined, again, b)
    },
  )

  test('the only one, whose core ends and is restarted by its bus', async () => {
    const { url } = await useServer()
    const scene = await useScene({ servers: url })
    const [core, joined] = [await scene.core('a'), await scene.joined()]
    const labels = ['spread', 'sticky']
    for (const label of labels) {
      await joined.ask('connect', { label, sticky: label === 'sticky' })
      await joined.ask('load', { label })
      await progress(joined, label)
    }
    const last = joined.ask('invoke', { label: 'sticky', command: 'die' }).catch((error: unknown) => error)
    await expect.poll(() => core.ask('told'), { timeout: PATIENCE }).toEqual(['restart core'])
    expect(await last).toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    for (const label of labels) await progress(joined, label)
    await scene.settle([joined, 'spread'], [joined, 'sticky'])
    await end(joined, core)
  })

  test('that closes under load: nobody waits for it', async () => {
    const { url } = await useServer()
    const scene = await useScene({ servers: url })
    const [a, b] = await Promise.all([scene.core('a'), scene.core('b')])
    const joined = await scene.joined()
    await joined.ask('connect', { label: 'spread' })
    await joined.ask('connect', { label: 'sticky', sticky: true })
    for (const label of ['spread', 'sticky']) await joined.ask('load', { label, parallel: 16, ms: 5 })
    await spread(joined, 'spread')
    await end(a)
    for (const label of ['spread', 'sticky']) await progress(joined, label)
    await scene.settle([joined, 'spread'], [joined, 'sticky'])
    await end(joined, b)
  })

  test('that no process has any more: calls settle, and a later one is found', async () => {
    const { url } = await useServer()
    const scene = await useScene({ servers: url })
    const [core, joined] = [await scene.core('a'), await scene.joined()]
    await joined.ask('connect', { label: 'spread' })
    await joined.ask('load', { label: 'spread' })
    await progress(joined, 'spread')
    const lost = await failures(joined, 'spread')
    await core.kill()
    await lost(10)
    const later = await scene.core('b')
    await progress(joined, 'spread')
    await scene.settle([joined, 'spread'])
    await end(joined, later)
  })
})
