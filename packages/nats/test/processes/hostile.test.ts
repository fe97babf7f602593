// Somebody at the server who reads all that goes over a bus and plays it again, everywhere, all the time: nothing is executed
// twice, nobody's label is taken, no session ends, and nobody's memory grows.
import type { NetworkStats } from '@sallyport/core/network'
import { describe, expect, test } from 'vitest'
import { startProcess, type Process } from '../processes.js'
import { BUS, end, PATIENCE, progress, spread, useScene } from '../scene.js'
import { hasServer, useServer } from '../server.js'

const MIB = 2 ** 20

/** Who answers a hello a second before core does is believed: another attempt is needed then. */
async function connect(joined: Process, options: object): Promise<void> {
  const attempt = (): Promise<unknown> =>
    joined.ask('connect', options).then(
      () => 'is in',
      (error: unknown) => error,
    )
  await expect.poll(attempt, { timeout: PATIENCE }).toBe('is in')
}

describe.skipIf(!hasServer)('a hostile client', { timeout: 4 * PATIENCE }, () => {
  test.each(['brownfield', 'isolation'] as const)('that plays everything again: %s', async pattern => {
    const { url } = await useServer()
    const scene = await useScene({ servers: url }, pattern, 20_000)
    const cores = await Promise.all([scene.core('a'), scene.core('b')])
    const joined = await scene.joined()
    const hostile = await startProcess('hostile', { servers: url, bus: BUS, instances: ['a', 'b'] })
    await connect(joined, { label: 'spread' })
    await connect(joined, { label: 'sticky', sticky: true })
    await joined.ask('listen', { label: 'spread', event: 'news' })
    for (const label of ['spread', 'sticky']) await joined.ask('load', { label, ms: 2, size: 500 })
    await spread(joined, 'spread')
    const memory = (): Promise<number[]> => Promise.all([joined, ...cores].map(each => each.ask<number>('memory')))
    const published = (): Promise<number> => hostile.ask('published')
    const sessions = async (): Promise<object> => (await cores[0].ask<NetworkStats>('stats')).total

    await expect.poll(published, { timeout: PATIENCE }).toBeGreaterThan(5000)
    const before = await memory()
    for (let at = 0; at < 20; at++) {
      await joined.ask('emit', { label: 'sticky', event: 'news', payload: at })
      await cores[at % 2]!.ask('emit', { event: 'news', payload: at + 100 })
      await progress(joined, 'spread')
      await progress(joined, 'sticky')
    }
    await expect.poll(published, { timeout: PATIENCE }).toBeGreaterThan(20_000)
    await spread(joined, 'spread')
    const [after] = [await memory()]
    expect(after.every((bytes, at) => bytes - before[at]! < 200 * MIB)).toBe(true)
    expect(await sessions()).toMatchObject({ sessions: 3 })

    // Each was heard once, by listeners and by each host.
    const all = [...Array(20).keys()].flatMap(at => [at, at + 100]).toSorted((x, y) => x - y)
    const sorted = (heard: number[]): number[] => heard.toSorted((x, y) => x - y)
    for (const [process, method] of [
      [joined, 'heard'],
      [cores[0], 'told'],
      [cores[1], 'told'],
    ] as const) {
      await expect.poll(async () => sorted(await process.ask<number[]>(method))).toEqual(all)
    }
    const told = await Promise.all([joined, ...cores].map(each => each.ask<{ reason: string }[]>('faults')))
    expect(told.flat().filter(({ reason }) => reason === 'Disconnected')).toEqual([])
    const reports = await scene.settle([joined, 'spread'], [joined, 'sticky'])
    expect(reports.map(({ failures }) => failures)).toEqual([{}, {}])
    await end(hostile, joined, ...cores)
  })
})
