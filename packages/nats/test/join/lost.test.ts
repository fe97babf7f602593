// Cores, servers and processes that come and go: calls settle, and whoever is still there goes on.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasServer } from '../server.js'
import { useWorld, type World } from './world.js'

const PROCESS = fileURLToPath(new URL('fixtures/core-process.mjs', import.meta.url))

/** An instance in a process of its own, to be killed. */
async function startProcess({ server, secret }: World, instance: string): Promise<ReturnType<typeof spawn>> {
  const options = { nats: { servers: server.url }, bus: 'test', secret, instance, heartbeat: 300 }
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
  return child
}

const reason = (error: unknown): unknown => (error as { reason?: unknown }).reason

describe.skipIf(!hasServer)('over NATS', () => {
  test('no core: the first connection is told so, and a core that comes later is found', async () => {
    const world = await useWorld()
    const joined = await world.join()
    const late = joined.connect('late')
    const { seen } = await world.start('a')
    expect(await (await late).invoke('who')).toBe('a')
    expect(seen.events).toEqual([])
  })

  test.each(['SIGKILL', 'SIGSTOP'] as const)('%s of an instance settles its calls, and no other', async signal => {
    const world = await useWorld()
    const child = await startProcess(world, 'other')
    const client = await (await world.join()).connect('spread')
    const a = await world.start('a')
    await expect
      .poll(async () => new Set(await Promise.all([client.invoke('who'), client.invoke('who')])).size, {
        timeout: 20_000,
      })
      .toBe(2)
    const held = [client.invoke('hold'), client.invoke('hold')]
    const outcomes = Promise.allSettled(held)
    await expect.poll(() => a.seen.letGo.length).toBe(1)
    child.kill(signal)
    const lost = await Promise.race(held.map(call => call.catch((error: unknown) => error)))
    expect(lost).toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    expect(await client.invoke('who')).toBe('a')
    a.seen.letGo[0]!()
    expect((await outcomes).map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('a server that begins again: calls settle once, and there are new sessions', async () => {
    const world = await useWorld()
    const { seen } = await world.start('a')
    const joined = await world.join()
    const clients = [await joined.connect('spread'), await joined.connect('sticky', { sticky: true })]
    const held = Promise.allSettled(clients.map(client => client.invoke('hold')))
    await expect.poll(() => seen.letGo.length).toBe(2)
    await world.server.restart()
    for (const one of await held) expect(reason((one as PromiseRejectedResult).reason)).toBe('Disconnected')
    for (const client of clients) {
      await expect.poll(() => client.invoke('who').catch(reason), { timeout: 20_000 }).toBe('a')
    }
    expect(seen.aborted).toHaveLength(2)
    expect(seen.letGo).toHaveLength(2)
  })

  test('close, whatever goes on: everything settles', async () => {
    const world = await useWorld()
    await world.start('a')
    const joined = await world.join()
    const client = await joined.connect('spread')
    const all = Promise.allSettled([
      client.invoke('hold'),
      client.stream('count', { to: 1e6 }).next(),
      client.listen('x', () => {}),
      joined.connect('other'),
      joined.connect('third', { sticky: true }),
    ])
    await joined.close()
    await all
    await expect(joined.connect('more')).rejects.toMatchObject({ reason: 'Disconnected' })
    await expect(client.invoke('who')).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
    await joined.close()
  })
})
