// Processes that do no harm to each other: each pattern, with connections and with frontends in workers, and all of them end by
// themselves once they are closed.
import { describe, expect, test } from 'vitest'
import type { NetworkStats } from '@sallyport/core/network'
import { CALM, end, PATIENCE, progress, spread, useScene } from '../scene.js'
import { hasServer, useServer } from '../server.js'
import type { Report } from '../tally.js'

describe.skipIf(!hasServer).each(['brownfield', 'isolation'] as const)('%s', { timeout: 2 * PATIENCE }, pattern => {
  test('two processes: one has core, one has joined', async () => {
    const { url } = await useServer()
    const scene = await useScene({ servers: url }, pattern, CALM)
    const [core, joined] = [await scene.core('a'), await scene.joined()]
    await joined.ask('connect', { label: 'app' })
    await joined.ask('load', { label: 'app' })
    expect(await joined.ask('numbers', { label: 'app', to: 500 })).toBe(500)
    expect(await core.ask('call', { label: 'app', method: 'where' })).toBe(joined.pid)
    await progress(joined, 'app', 200)
    const [report] = await scene.settle([joined, 'app'])
    expect(report!.failures).toEqual({})
    await end(joined, core)
  })

  test('four processes: two have core, two have joined with connections and a frontend in a worker', async () => {
    const { url } = await useServer()
    const scene = await useScene({ servers: url }, pattern, CALM)
    const cores = await Promise.all([scene.core('a'), scene.core('b')])
    const [one, two] = await Promise.all([scene.joined(), scene.joined()])
    await one.ask('connect', { label: 'one' })
    await two.ask('connect', { label: 'two', codec: 'msgpack' })
    await two.ask('connect', { label: 'sticky', sticky: true })
    await two.ask('open', { label: 'guest' })

    for (const [process, label] of [
      [one, 'one'],
      [two, 'two'],
      [two, 'sticky'],
    ] as const)
      await process.ask('load', { label })
    await two.ask('guest', { label: 'guest', method: 'load', args: { name: 'guest' } })
    await spread(one, 'one')
    await spread(two, 'two')
    await progress(two, 'sticky')
    await expect.poll(() => two.ask('guest', { label: 'guest', method: 'answered' })).toBeGreaterThan(20)

    // Each listener is at one instance, or at both: an event is heard once all the same.
    for (const [process, label] of [
      [one, 'one'],
      [two, 'two'],
    ] as const)
      await process.ask('listen', { label, event: 'news' })
    for (let at = 0; at < 10; at++) await one.ask('emit', { label: 'one', event: 'news', payload: at })
    const heard = async (all: unknown[]): Promise<void> => {
      for (const process of [one, two])
        await expect.poll(() => process.ask('heard'), { timeout: PATIENCE }).toEqual(all)
      for (const process of cores) await expect.poll(() => process.ask('told'), { timeout: PATIENCE }).toEqual(all)
    }
    const ten = [...Array(10).keys()]
    await heard(ten)
    await cores[1].ask('emit', { event: 'news', payload: 'of b' })
    await heard([...ten, 'of b'])

    const guest = await two.ask<Report>('guest', { label: 'guest', method: 'settle' })
    const reports = await scene.settle([one, 'one'], [two, 'two'], [two, 'sticky'], guest)
    expect(reports.map(({ failures }) => failures)).toEqual(reports.map(() => ({})))
    expect(Object.keys(reports[2]!.instances)).toHaveLength(1)
    const total = async (): Promise<object> => (await cores[0].ask<NetworkStats>('stats')).total
    await expect.poll(total).toMatchObject({ sessions: 6, inFlight: 0 })
    for (const process of [one, two, ...cores]) expect(await process.ask('faults')).toEqual([])
    await end(one, two, ...cores)
  })
})
