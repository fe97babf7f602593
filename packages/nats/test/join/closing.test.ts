// The end of what has joined, where nobody takes part in it: a server that stands still, a core that is not there.
import { describe, expect, test } from 'vitest'
import { hasServer } from '../server.js'
import { useWorld } from './world.js'

describe.skipIf(!hasServer)('closing', () => {
  test('does not wait for a server that stands still', async () => {
    const world = await useWorld()
    // By pings the server would be given up in three minutes.
    const { bus } = await world.start('a', {}, { heartbeat: 60_000 })
    const joined = await world.join({ heartbeat: 60_000 })
    const clients = [await joined.connect('spread'), await joined.connect('sticky', { sticky: true })]
    for (const client of clients) expect(await client.invoke('who')).toBe('a')
    world.server.pause()
    const held = Promise.allSettled(clients.map(client => client.invoke('hold')))
    await Promise.all([joined.close(), bus.close({ timeout: 0 })])
    for (const outcome of await held) {
      expect(outcome).toMatchObject({ reason: { reason: 'Disconnected', data: { delivered: 'unknown' } } })
    }
  })

  test('does not wait for connections that are on their way, and ends nothing by wrong options', async () => {
    const world = await useWorld()
    const joined = await world.join()
    const all = Promise.allSettled([joined.connect('spread'), joined.connect('sticky', { sticky: true })])
    await expect(joined.close({ timeout: -1 })).rejects.toMatchObject({ reason: 'InvalidParams' })
    await joined.close()
    // And not that nobody has answered for 10 s.
    for (const outcome of await all) {
      expect(outcome).toMatchObject({ reason: { message: 'The frontend exited before it was connected' } })
    }
  })
})
