// A process that is stopped during a flood of events: the server closes the connection of this slow consumer, and other processes are
// not affected.
import { expect, test } from 'vitest'
import { closeProcesses, TIMEOUT_MS, useProcesses, waitForAnswers } from '../../long/process-network.js'
import { hasServer, useServer } from '../../long/server.js'

const LABELS = ['first', 'second', 'third', 'fourth']

test.skipIf(!hasServer)(
  'a slow consumer is disconnected by the server, delays no other process, and reconnects',
  { timeout: 3 * TIMEOUT_MS },
  async () => {
    const server = await useServer({ config: 'max_pending: 4MB, write_deadline: "300ms"' })
    // Longer than the write deadline: the sessions end because the server closes the connection.
    const network = await useProcesses({ servers: server.url }, 'brownfield', 20_000)
    const [core, stopped, other] = await Promise.all([
      network.startCore('a'),
      network.startJoined(),
      network.startJoined(),
    ])
    await other.call('connect', { label: 'other' })
    await other.call('load', { label: 'other' })
    for (const label of LABELS) {
      await stopped.call('connect', { label, sticky: true })
      await stopped.call('listen', { label, event: 'flood' })
    }
    const before = await core.call<number>('memory')
    stopped.pause()
    const flood = { event: 'flood', count: 300, size: 100_000 }
    for (const to of LABELS) await other.call('invoke', { label: 'other', command: 'flood', args: { ...flood, to } })
    await expect.poll(() => server.log(), { timeout: TIMEOUT_MS }).toMatch(/Slow Consumer/)
    await waitForAnswers(other, 'other', 100)
    // The flood has 120 MB.
    expect((await core.call<number>('memory')) - before).toBeLessThan(300 * 2 ** 20)

    stopped.resume()
    for (const label of LABELS) {
      const invoke = (): Promise<unknown> => stopped.call('invoke', { label, command: 'who' }).catch(() => undefined)
      await expect.poll(invoke, { timeout: TIMEOUT_MS }).toBe('a')
    }
    const getLatest = async (): Promise<unknown> => {
      await core.call('emit', { event: 'flood', payload: 'again' })
      return (await stopped.call<unknown[]>('received')).at(-1)
    }
    await expect.poll(getLatest, { timeout: TIMEOUT_MS }).toBe('again')
    const [report] = await network.settle([other, 'other'])
    expect(report!.failures).toEqual({})
    await closeProcesses(stopped, other, core)
  },
)
