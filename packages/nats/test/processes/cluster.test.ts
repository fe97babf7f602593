// A cluster of three servers: each process is connected to one of them, and goes to another when that one ends.
import { describe, expect, test } from 'vitest'
import type { Process } from '../processes.js'
import { end, failures, PATIENCE, progress, spread, useScene, type Scene } from '../scene.js'
import { hasServer, useServer, type NatsServer } from '../server.js'

const config = 'lame_duck_duration: "30s", lame_duck_grace_period: "100ms"'

async function useCluster(): Promise<NatsServer[]> {
  const first = await useServer({ cluster: { name: 'three' }, config })
  const join = { cluster: { name: 'three', routes: [first.route] }, config }
  return [first, await useServer(join), await useServer(join)]
}

/** An instance at each of the first two, and what has joined at the third. Each knows one server, and finds the others. */
async function start(scene: Scene, servers: readonly NatsServer[]): Promise<Process[]> {
  const [one, two, three] = servers.map(({ url }) => ({ nats: { servers: url } }))
  const cores = await Promise.all([scene.core('a', one), scene.core('b', two)])
  const joined = await scene.joined({ join: three })
  await joined.ask('connect', { label: 'spread' })
  await joined.ask('load', { label: 'spread', parallel: 8, ms: 5 })
  await spread(joined, 'spread')
  return [joined, ...cores]
}

describe.skipIf(!hasServer)('a cluster of three servers', { timeout: 4 * PATIENCE }, () => {
  test('each of them is killed in turn, and begins again', async () => {
    const servers = await useCluster()
    const scene = await useScene({ servers: 'nats://127.0.0.1:1' })
    const [joined, ...cores] = (await start(scene, servers)) as [Process, Process, Process]
    for (const server of servers) {
      const lost = await failures(joined, 'spread')
      await server.kill()
      await lost()
      await spread(joined, 'spread')
      await server.restart()
    }
    await spread(joined, 'spread')
    await scene.settle([joined, 'spread'])
    await end(joined, ...cores)
  })

  test('one that is drained sends its clients elsewhere', async () => {
    const servers = await useCluster()
    const scene = await useScene({ servers: 'nats://127.0.0.1:1' })
    const [joined, ...cores] = (await start(scene, servers)) as [Process, Process, Process]
    // Those of the first instance, and those of what has joined.
    for (const server of [servers[0]!, servers[2]!]) {
      const lost = await failures(joined, 'spread')
      server.lameDuck()
      await lost()
      await expect.poll(() => server.log(), { timeout: PATIENCE }).toContain('Server Exiting')
      await progress(joined, 'spread')
      await spread(joined, 'spread')
    }
    await scene.settle([joined, 'spread'])
    await end(joined, ...cores)
  })
})
