// A process that takes nothing for a while, under a flood of events: the server ends its connection, as it does with slow
// consumers, and nobody else is held up by it.
import { describe, expect, test } from 'vitest'
import { end, PATIENCE, progress, useScene } from '../scene.js'
import { hasServer, useServer } from '../server.js'

const LABELS = ['one', 'two', 'three', 'four']

describe.skipIf(!hasServer)('a slow consumer', { timeout: 3 * PATIENCE }, () => {
  test('is cut off by the server, holds up nobody, and comes back', async () => {
    const server = await useServer({ config: 'max_pending: 4MB, write_deadline: "300ms"' })
    // Longer than the server waits: it is its word that ends the sessions.
    const scene = await useScene({ servers: server.url }, 'brownfield', 20_000)
    const [core, stopped, other] = [await scene.core('a'), await scene.joined(), await scene.joined()]
    await other.ask('connect', { label: 'other' })
    await other.ask('load', { label: 'other' })
    for (const label of LABELS) {
      await stopped.ask('connect', { label, sticky: true })
      await stopped.ask('listen', { label, event: 'flood' })
    }
    const before = await core.ask<number>('memory')
    stopped.stop()
    const flood = { event: 'flood', count: 300, size: 100_000 }
    for (const to of LABELS) await other.ask('invoke', { label: 'other', command: 'flood', args: { ...flood, to } })
    await expect.poll(() => server.log(), { timeout: PATIENCE }).toMatch(/Slow Consumer/)
    await progress(other, 'other', 100)
    // 120 MB were emitted.
    expect((await core.ask<number>('memory')) - before).toBeLessThan(300 * 2 ** 20)

    stopped.resume()
    for (const label of LABELS) {
      const back = (): Promise<unknown> => stopped.ask('invoke', { label, command: 'who' }).catch(() => undefined)
      await expect.poll(back, { timeout: PATIENCE }).toBe('a')
    }
    const heard = async (): Promise<unknown> => {
      await core.ask('emit', { event: 'flood', payload: 'again' })
      return (await stopped.ask<unknown[]>('heard')).at(-1)
    }
    await expect.poll(heard, { timeout: PATIENCE }).toBe('again')
    const [report] = await scene.settle([other, 'other'])
    expect(report!.failures).toEqual({})
    await end(stopped, other, core)
  })
})
