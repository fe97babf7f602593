// Instances of a bus: each is a bus in this process, with its core in a worker.
import { createBus, type Bus, type BusOptions } from '@sallyport/core'
import { onTestFinished } from 'vitest'
import { natsNetwork, type NatsNetworkOptions } from '../../src/core/nats-network.js'
import { createBusSecret } from '../../src/handshake/credential.js'

export interface Instance {
  bus: Bus
  /** Faults that the bus has reported. */
  faults: { label: string; reason: string; message: string }[]
}

export const createNetworkOptions = (url: string): Pick<NatsNetworkOptions, 'nats' | 'bus' | 'secret'> => ({
  nats: { servers: url },
  bus: `test-${Math.random().toString(36).slice(2, 8)}`,
  secret: createBusSecret(),
})

const permissions = ['greet', 'label', 'emit', 'count', 'never'].map(name => `allow-${name}`)
const app = { capabilities: [{ identifier: 'all', windows: ['*'], permissions }] }

export async function startInstance(network: NatsNetworkOptions, options: Partial<BusOptions> = {}): Promise<Instance> {
  const core = new URL('core.mjs', import.meta.url)
  const bus = await createBus({ core, ...app, log: false, network: natsNetwork(network), ...options })
  const faults: Instance['faults'] = []
  bus.on('fault', ({ label, error }) => {
    faults.push({ label, reason: (error as Error & { reason?: string }).reason ?? '', message: error.message })
  })
  onTestFinished(() => bus.close({ timeout: 0 }))
  return { bus, faults }
}
