// A server of NATS that ends, stands still and begins again, under load: each call settles, once, and then calls succeed again.
import { describe, expect, test } from 'vitest'
import { end, failures, PATIENCE, progress, SOON, useScene, type Scene } from '../scene.js'
import type { Process } from '../processes.js'
import { hasServer, useServer } from '../server.js'
import type { Report } from '../tally.js'

/** Two instances, and a joined process with each kind of connection, at work. */
async function start(scene: Scene, load: object = {}): Promise<{ cores: Process[]; joined: Process }> {
  const cores = await Promise.all([scene.core('a'), scene.core('b')])
  const joined = await scene.joined()
  await joined.ask('connect', { label: 'spread' })
  await joined.ask('connect', { label: 'sticky', sticky: true, codec: 'msgpack' })
  await joined.ask('open', { label: 'guest' })
  for (const label of ['spread', 'sticky']) await joined.ask('load', { label, timeout: 2000, ...load })
  await joined.ask('guest', { label: 'guest', method: 'load', args: { name: 'guest', timeout: 2000, ...load } })
  return { cores, joined }
}

const askGuest = <T>(joined: Process, method: string): Promise<T> => joined.ask('guest', { label: 'guest', method })

async function atWork(joined: Process): Promise<void> {
  const before = await askGuest<number>(joined, 'answered')
  await Promise.all([progress(joined, 'spread'), progress(joined, 'sticky')])
  await expect.poll(() => askGuest(joined, 'answered'), { timeout: PATIENCE }).toBeGreaterThan(before + 20)
}

async function settle(scene: Scene, joined: Process): Promise<void> {
  await scene.settle([joined, 'spread'], [joined, 'sticky'], await askGuest<Report>(joined, 'settle'))
}

describe.skipIf(!hasServer)('a server', { timeout: 3 * PATIENCE }, () => {
  test.each([
    ['brownfield', {}],
    // Some are within a frame of many parts when it ends.
    ['isolation', { size: 300_000 }],
  ] as const)('that is killed, and begins again, twice: %s, %o', async (pattern, load) => {
    const server = await useServer({ config: 'max_payload: 64KB' })
    const scene = await useScene({ servers: server.url }, pattern)
    const { cores, joined } = await start(scene, load)
    for (let round = 0; round < 2; round++) {
      await atWork(joined)
      const lost = [await failures(joined, 'spread'), await failures(joined, 'sticky')]
      await server.kill()
      for (const each of lost) await each(4)
      await server.restart()
    }
    await atWork(joined)
    await settle(scene, joined)
    await end(joined, ...cores)
  })

  test('that stands still is found, and left for as long as it does', async () => {
    const server = await useServer()
    const scene = await useScene({ servers: server.url }, 'brownfield', SOON)
    const { cores, joined } = await start(scene)
    await atWork(joined)
    const lost = [await failures(joined, 'spread'), await failures(joined, 'sticky')]
    server.pause()
    for (const each of lost) await each(4)
    server.resume()
    await atWork(joined)
    await settle(scene, joined)
    await end(joined, ...cores)
  })

  test('that is gone for good keeps nobody from ending', async () => {
    const server = await useServer()
    const scene = await useScene({ servers: server.url })
    const { cores, joined } = await start(scene)
    await atWork(joined)
    const lost = await failures(joined, 'spread')
    await server.kill()
    await lost(4)
    await settle(scene, joined)
    await end(joined, ...cores)
  })
})
