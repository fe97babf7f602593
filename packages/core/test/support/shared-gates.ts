// Gates that share a thread.
import type { Bus, BusOptions, Client } from '../../src/index.js'
import { collectWorkers } from './shared-threads.js'
import { everyCommand, fixture, start } from './start.js'

/** Starts a bus, whose gates are collected. */
export async function startShared(
  hook: string,
  gates = 1,
  options: Partial<BusOptions> = {},
  hookTimeout = 60_000,
): Promise<Bus> {
  const dir = fixture(`isolation/hooks/${hook}/`)
  const bus = await start({ isolation: { dir, gates, hookTimeout }, capabilities: [everyCommand], ...options })
  collectWorkers()
  return bus
}

export async function connect(bus: Bus, ...labels: string[]): Promise<Client[]> {
  const clients: Client[] = []
  for (const label of labels) {
    const client = await bus.connect(label)
    await client.invoke('add', { a: 1, b: 2 })
    clients.push(client)
  }
  return clients
}

export const add = (client: Client): Promise<number | undefined> =>
  client.invoke<number>('add', { a: 1, b: 2 }).catch(() => undefined)
