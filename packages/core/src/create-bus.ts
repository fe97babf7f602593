// Where a host begins. What it runs on is loaded with the first bus: a core module imports this package too, in its worker,
// and needs none of it.
import type { Bus } from './host/bus.js'
import type { BusOptions } from './host/options.js'

/**
 * Starts core, and a worker for each frontend. Resolves when core and the gates are ready; the modules of the frontends are
 * loaded after that, in a later turn, so a host that listens at once misses nothing.
 *
 * @throws BusError `InvalidParams` for an unknown or wrong option, and what goes wrong while core or a gate starts
 * @example
 * const bus = await createBus({
 *   core: new URL('./core.js', import.meta.url),
 *   frontends: { main: new URL('./main.js', import.meta.url) },
 * })
 * try { … } finally { await bus.close() }
 */
export async function createBus(options: BusOptions): Promise<Bus> {
  const { assemble } = await import('./host/assemble.js')
  return assemble(options, true)
}
