// Where a host begins. What it runs on is loaded with the first bus: a core module imports this package too, in its worker,
// and needs none of it.
import type { Explanation } from '../acl/explain.js'
import type { Bus } from './bus.js'
import type { ExplainOptions } from './explain-acl.js'
import type { BusOptions } from './options/types.js'

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
  const { assemble } = await import('./assemble.js')
  return assemble(options, true)
}

// Where a review of capabilities begins. Like a bus, it is loaded when it is called: a core module imports this package too.

export interface ExplainedCapabilities extends Explanation {
  /** The same, to read. */
  readonly text: string
}

/**
 * Says who may call what, and by which permission, without starting anything.
 *
 * @throws BusError `InvalidParams` for the mistakes that `createBus` would throw for
 * @example
 * console.log((await explainCapabilities({ config, core })).text)
 */
export async function explainCapabilities(options: ExplainOptions): Promise<ExplainedCapabilities> {
  const [{ explainProject }, { renderExplanation }] = await Promise.all([
    import('./explain-acl.js'),
    import('../acl/explain.js'),
  ])
  const explanation = await explainProject(options)
  return { ...explanation, text: renderExplanation(explanation) }
}
