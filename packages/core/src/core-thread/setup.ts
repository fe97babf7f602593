// The setups and teardowns of a core definition and its plugins.
import { withDeadline } from '@sallyport/protocol/internal/contract'
import { BusError, describeThrown, isBusError } from '@sallyport/protocol/internal/errors'
import type { App } from '../api/app.js'
import type { CoreDefinition, Plugin, PluginApi } from '../api/define.js'
import { runSequentially } from '../shared/teardown.js'

/** Time for the teardowns after a setup, or joining the network, has failed. */
export const FAILED_START_MS = 1000

/** Runs all teardowns, the last setup's first. Resolves early if the signal aborts, and never rejects. */
export type Teardown = (signal: AbortSignal) => Promise<void>

/** Runs the setups of the plugins in their order, then the definition's. Earlier setups are torn down if one fails. */
export async function setupPlugins(
  definition: CoreDefinition,
  app: App,
  getApi: (plugin: Plugin) => PluginApi,
  closeResources: Teardown,
): Promise<Teardown> {
  const teardowns: (() => unknown)[] = []
  const tearDown: Teardown = async signal => {
    const steps = teardowns.splice(0).reverse()
    await runSequentially(steps, signal, error => app.log.error({ err: error }, 'a teardown failed'))
    await closeResources(signal)
  }
  try {
    for (const plugin of definition.plugins ?? []) {
      const pluginApp = createPluginApp(plugin, app)
      await runSetup(`failed to initialize plugin \`${plugin.name}\``, () => plugin.setup?.(pluginApp, getApi(plugin)))
      teardowns.push(() => plugin.teardown?.(pluginApp))
    }
    await runSetup('`setup` of the core module failed', () => definition.setup?.(app))
  } catch (error) {
    await withDeadline(FAILED_START_MS, tearDown)
    throw error
  }
  teardowns.push(() => definition.teardown?.(app))
  return tearDown
}

async function runSetup(failed: string, setup: () => unknown): Promise<void> {
  try {
    await setup()
  } catch (cause) {
    const message = `${failed}: ${describeThrown(cause)}`
    throw new BusError(isBusError(cause) ? cause.reason : 'LoadFailed', message, { cause })
  }
}

/** Returns an app whose log names the plugin. The log is created with its first line. */
function createPluginApp({ name }: Plugin, app: App): App {
  let log: App['log'] | undefined
  const getLog = (): App['log'] => (log ??= app.log.child({ plugin: name }))
  return Object.create(app, { log: { get: getLog, enumerable: true } }) as App
}
