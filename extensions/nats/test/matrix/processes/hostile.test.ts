// A client of the server that reads everything on the bus and replays it everywhere, in bursts: nothing runs twice, no label is taken
// over, no session ends, and no process's memory grows.
import type { NetworkStats } from '@sallyport/core/internal/network'
import { describe, expect, test } from 'vitest'
import {
  BUS,
  closeProcesses,
  TIMEOUT_MS,
  useProcesses,
  waitForAnswers,
  waitForInstances,
} from '../../long/process-network.js'
import { startProcess, type Process } from '../../long/processes.js'
import { hasServer, useServer } from '../../long/server.js'

const MIB = 2 ** 20
const ROUNDS = 20

/** A forged answer that arrives a second before core's is accepted as a refusal, so a further attempt can be needed. */
async function connect(joined: Process, options: object): Promise<void> {
  const attempt = (): Promise<unknown> =>
    joined.call('connect', options).then(
      () => 'connected',
      (error: unknown) => error,
    )
  await expect.poll(attempt, { timeout: TIMEOUT_MS }).toBe('connected')
}

describe.skipIf(!hasServer)('a hostile client', { timeout: 4 * TIMEOUT_MS }, () => {
  test.each(['brownfield', 'isolation'] as const)('gains nothing by replaying everything: %s', async pattern => {
    const { url } = await useServer()
    const network = await useProcesses({ servers: url }, pattern, 20_000)
    const [joined, hostile, ...cores] = await Promise.all([
      network.startJoined(),
      startProcess('hostile', { servers: url, bus: BUS, instances: ['a', 'b'] }),
      network.startCore('a'),
      network.startCore('b'),
    ])
    await connect(joined, { label: 'balanced' })
    await connect(joined, { label: 'sticky', sticky: true })
    await joined.call('listen', { label: 'balanced', event: 'news' })
    for (const label of ['balanced', 'sticky']) await joined.call('load', { label, ms: 2, size: 500 })
    await waitForInstances(joined, 'balanced')
    const getMemory = (): Promise<number[]> => Promise.all([joined, ...cores].map(each => each.call<number>('memory')))
    const countPublished = (): Promise<number> => hostile.call('published')

    await expect.poll(countPublished, { timeout: TIMEOUT_MS }).toBeGreaterThan(2000)
    const before = await getMemory()
    for (let at = 0; at < ROUNDS; at++) {
      // A client that replays without a pause can leave core no time for anything else on a busy machine.
      const replayed = hostile.call('replay', 10_000 / ROUNDS)
      await joined.call('emit', { label: 'sticky', event: 'news', payload: at })
      await cores[at % 2]!.call('emit', { event: 'news', payload: at + 100 })
      await waitForAnswers(joined, 'balanced')
      await waitForAnswers(joined, 'sticky')
      await replayed
    }
    await hostile.call('resume')
    const published = await countPublished()
    expect(published).toBeGreaterThan(12_000)
    await expect.poll(countPublished, { timeout: TIMEOUT_MS }).toBeGreaterThan(published + 1000)
    await waitForInstances(joined, 'balanced')
    const after = await getMemory()
    expect(after.every((bytes, at) => bytes - before[at]! < 100 * MIB)).toBe(true)
    const getTotal = async (): Promise<object> => (await cores[0]!.call<NetworkStats>('stats')).total
    await expect.poll(getTotal, { timeout: TIMEOUT_MS }).toMatchObject({ sessions: 3 })

    // Each event was received once, by the connection and by each host.
    const all = [...Array(ROUNDS).keys()].flatMap(at => [at, at + 100]).toSorted((a, b) => a - b)
    const sorted = (numbers: number[]): number[] => numbers.toSorted((a, b) => a - b)
    for (const [process, method] of [
      [joined, 'received'],
      [cores[0]!, 'news'],
      [cores[1]!, 'news'],
    ] as const) {
      await expect.poll(async () => sorted(await process.call<number[]>(method))).toEqual(all)
    }
    const faults = await Promise.all([joined, ...cores].map(each => each.call<{ reason: string }[]>('faults')))
    expect(faults.flat().filter(({ reason }) => reason === 'Disconnected')).toEqual([])
    const reports = await network.settle([joined, 'balanced'], [joined, 'sticky'])
    expect(reports.map(({ failures }) => failures)).toEqual([{}, {}])
    await closeProcesses(hostile, joined, ...cores)
  })
})
