// Cores, servers and processes that come and go: calls settle, and those that are left go on.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasServer } from '../../long/server.js'
import { getReason, type TestNetwork, useNetwork } from '../../long/join/test-network.js'

const CORE_PROCESS = fileURLToPath(new URL('../../long/join/fixtures/core-process.mjs', import.meta.url))

/** Starts an instance in a process of its own, so that it can be killed. */
async function startProcess({ server, secret }: TestNetwork, instance: string): Promise<ReturnType<typeof spawn>> {
  const options = { nats: { servers: server.url }, bus: 'test', secret, instance, heartbeat: 300 }
  const args = [CORE_PROCESS, JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
  return child
}

describe.skipIf(!hasServer)('over NATS', () => {
  test('a connection without a core finds one that starts later', async () => {
    const network = await useNetwork()
    const joined = await network.join()
    const connecting = joined.connect('late')
    const { seen } = await network.startInstance('a')
    expect(await (await connecting).invoke('who')).toBe('a')
    expect(seen.events).toEqual([])
  })

  test.each(['SIGKILL', 'SIGSTOP'] as const)('%s of an instance settles its calls, and no others', async signal => {
    const network = await useNetwork()
    const [child, a] = await Promise.all([startProcess(network, 'other'), network.startInstance('a')])
    const client = await (await network.join()).connect('balanced')
    const countInstances = async (): Promise<number> =>
      new Set(await Promise.all([client.invoke('who'), client.invoke('who')])).size
    await expect.poll(countInstances, { timeout: 20_000 }).toBe(2)
    const held = [client.invoke('hold'), client.invoke('hold')]
    const outcomes = Promise.allSettled(held)
    await expect.poll(() => a.seen.release.length).toBe(1)
    child.kill(signal)
    const lost = await Promise.race(held.map(call => call.catch((error: unknown) => error)))
    expect(lost).toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    expect(await client.invoke('who')).toBe('a')
    a.seen.release[0]!()
    expect((await outcomes).map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('a restart of the server settles calls once, and new sessions follow', async () => {
    const network = await useNetwork()
    const { seen } = await network.startInstance('a')
    const joined = await network.join()
    const clients = [await joined.connect('balanced'), await joined.connect('sticky', { sticky: true })]
    const held = Promise.allSettled(clients.map(client => client.invoke('hold')))
    await expect.poll(() => seen.release.length).toBe(2)
    await network.server.restart()
    for (const outcome of await held) {
      expect(getReason((outcome as PromiseRejectedResult).reason)).toBe('Disconnected')
    }
    for (const client of clients) {
      await expect.poll(() => client.invoke('who').catch(getReason), { timeout: 20_000 }).toBe('a')
    }
    expect(seen.aborted).toHaveLength(2)
    expect(seen.release).toHaveLength(2)
  })

  test('closing settles calls, streams, subscriptions and connections in flight', async () => {
    const network = await useNetwork()
    await network.startInstance('a')
    const joined = await network.join()
    const client = await joined.connect('balanced')
    const settled = Promise.allSettled([
      client.invoke('hold'),
      client.stream('count', { to: 1e6 }).next(),
      client.listen('x', () => {}),
      joined.connect('other'),
      joined.connect('third', { sticky: true }),
    ])
    await joined.close()
    await settled
    await expect(joined.connect('more')).rejects.toMatchObject({ reason: 'Disconnected' })
    await expect(client.invoke('who')).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
    await joined.close()
  })
})
