// Arms that fetch from a server on this machine: the host itself, and a walled process whose only network is a list of hosts.
import { createBus, defineCore } from '@sallyport/core'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { measureFetches } from '../loops/fetches.js'
import type { Arm, Arms, Measurement, OpenArm } from '../model/scenario.js'
import { workerUrl } from '../shared/worker-url.js'
import { withWall } from './wall.js'

/** Far above the time of a measurement. */
const TIMEOUT_MS = 120_000

interface Fetcher {
  measure: (task: Parameters<typeof measureFetches>[0]) => Promise<Measurement>
  close(): Promise<void>
}

const networkArm = (id: string, title: string, openFetcher: (host: string) => Promise<Fetcher>): Arm => ({
  id,
  title,
  async open(): Promise<OpenArm> {
    const server = new Worker(workerUrl('http-server'))
    const [port] = (await once(server, 'message')) as [number]
    const fetcher = await openFetcher(`127.0.0.1:${port}`).catch(async (error: unknown) => {
      await server.terminate()
      throw error
    })
    return {
      measure: task => fetcher.measure({ ...task, url: `http://127.0.0.1:${port}/` }),
      async close() {
        await fetcher.close()
        await server.terminate()
      },
    }
  },
})

async function openWalled(host: string): Promise<Fetcher> {
  const bus = await createBus({ core: defineCore({}), log: false })
  try {
    const module = workerUrl('fetching')
    const read = [new URL('../', module)]
    await bus.open('fetching', module, { sandbox: { kind: 'process', wall: 'required', read, net: [host] } })
  } catch (error) {
    await bus.close({ timeout: 0 })
    throw error
  }
  return {
    measure: task =>
      bus.call('fetching', 'measureFetches', { ...task }, { timeout: TIMEOUT_MS }) as Promise<Measurement>,
    close: () => bus.close({ timeout: 0 }),
  }
}

export const networkArms: Arms = [
  networkArm('host', 'fetch of the host', async () => ({ measure: measureFetches, close: async () => {} })),
  withWall(networkArm('process-wall', 'process, wall, list', openWalled)),
]
