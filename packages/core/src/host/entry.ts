// Entry points of a host, whose code is imported on the first call: a core module imports this package too, and needs nothing of it.
import { BusError, throwAs, withCaller } from '@sallyport/protocol/internal/errors'

import manifest from '../../package.json' with { type: 'json' }
import type { Explanation } from '../acl/explain.js'
import type { CoreLike } from '@sallyport/frontend/internal'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { BusTypes, BusTypesOf, CoreOf } from '../api/app.js'
import type { Bus } from './bus.js'
import type { ExplainOptions } from '../options/explain-acl.js'
import type { BusOptions } from '../options/types.js'
import { getOtherRuntime } from '../shared/other-runtime.js'
import { spawnCoreEarly } from '../life/workers/spare-worker.js'

/**
 * Starts core, and a worker for each frontend. Resolves once the frontends' modules have been evaluated: see `loaded` and `loadTimeout`
 * of a frontend. A listener added right after that misses no event.
 *
 * @throws {BusError} InvalidParams for an unknown or wrong option, on an older Node.js, on Bun and Deno; the error of core, of a gate or of a module that cannot start;
 * Timeout after `loadTimeout` or `startTimeout`
 * @example
 * const bus = await createBus({
 *   core: new URL('./core.js', import.meta.url),
 *   frontends: { main: new URL('./main.js', import.meta.url) },
 * })
 * try { … } finally { await bus.close() }
 *
 * // A definition as `core` types the clients of `connect`, and with `defineCore<Types>()` also `bus.call`, `bus.frontend` and events. A
 * // module needs its type, and types of the host alone are in the place of a core's.
 * const typed = await createBus<typeof import('./core.js').default>({ … })
 * const other = await createBus<{ frontends: { main: typeof import('./main.js').default }; events: Events }>({ … })
 */
export async function createBus<
  Types extends BusTypes | CoreLike = never,
  Core extends BusOptions['core'] = BusOptions['core'],
  Codec extends CodecName = CodecName,
>(
  options: BusOptions<Core, Types, Codec>,
): Promise<TypedBus<[Types] extends [never] ? DefinitionOf<Core> : Types, Codec>> {
  checkRuntime()
  const early = spawnCoreEarly(options)
  try {
    const { startBus } = await import('./start-bus.js').catch(explainBundle)
    const { bus, releaseEvents } = await withCaller(startBus(options, early).catch(explainBundle))
    void releaseEvents()
    return bus as never
  } finally {
    early?.discard()
  }
}

type DefinitionOf<Core> = Core extends { readonly module: infer Definition } ? Definition : Core
type TypedBus<Given, Codec> = Bus<
  [Codec] extends ['msgpack'] ? BusTypesOf<Given> & { codec: Codec } : BusTypesOf<Given>,
  CoreOf<Given>
>

/**
 * To be called before anything else of Sallyport is imported: an older Node.js has not all names that the other modules import.
 *
 * @throws {BusError} InvalidParams on an older Node.js; on Bun and Deno, which have no thread under Node's permission model; among a DOM's globals
 */
export function checkRuntime(): void {
  const { node } = process.versions
  const other = getOtherRuntime()
  if (other === undefined) {
    const needed = manifest.engines.node.replace('>=', '')
    const [major, minor] = node.split('.').map(Number) as [number, number]
    const [neededMajor, neededMinor] = needed.split('.').map(Number) as [number, number]
    if (major < neededMajor || (major === neededMajor && minor < neededMinor)) {
      const text = `This is Node.js ${node}, and Sallyport needs ${needed} or later. Update Node.js`
      throw new BusError('InvalidParams', text)
    }
    if (typeof structuredClone === 'function') return
    const text =
      'The globals of Node.js are missing, such as structuredClone. In a test with a DOM, Jest needs the environment jest-fixed-jsdom in the place of jsdom'
    throw new BusError('InvalidParams', text)
  }
  if (process.env['SALLYPORT_TRY_RUNTIME'] !== undefined) return
  const text = `${other} is not supported: Sallyport's sandboxes need the permission model of Node.js. Run the host with Node.js. See the page "Versions and support" of the documentation`
  throw new BusError('InvalidParams', text)
}

/** A bundle that is an ES module has no `require` for pino, which is CommonJS. One in CommonJS has no `import.meta.url`. */
function explainBundle(cause: unknown): never {
  if (!/Dynamic require of|'filename' must be a file URL/.test(String(cause))) throw cause
  const text =
    'The bundle of this program lacks `require` or `import.meta.url`, which its libraries need. Leave @sallyport/* out of the bundle: see "Bundlers" on the page "Deploying" of the documentation'
  throw new BusError('InvalidParams', text, { cause })
}

/**
 * Explains who can call what, and by which permission, without starting anything. `text` is the explanation for a terminal.
 *
 * @throws {BusError} InvalidParams for the mistakes that `createBus` would report
 * @example
 * console.log((await explainCapabilities({ config, core })).text)
 */
export async function explainCapabilities(options: ExplainOptions): Promise<Explanation & { readonly text: string }> {
  const { explainProject } = await import('../options/explain-acl.js')
  const { renderExplanation } = await import('../acl/explain.js')
  const explanation = await explainProject(options).catch(throwAs('createBus:', 'explainCapabilities:'))
  return { ...explanation, text: renderExplanation(explanation) }
}
