// The setups of a core's plugins and of its own definition, and what ends them again, in reverse.
import { BusError, describeThrown, isBusError } from '@sallyport/protocol'
import type { App } from '../api/app.js'
import type { CoreDefinition, Plugin, PluginApi } from '../api/define.js'
import { runSequentially } from '../shared/teardown.js'

/** Ends what was set up, last first. Resolves when that is done, or `hurry` aborts; never rejects. */
export type Teardown = (hurry: AbortSignal) => Promise<void>

/**
 * Runs the setups of the plugins in their order, then the definition's own.
 *
 * @param last ends what all of them have opened, after all teardowns
 * @throws what a setup throws, of a plugin with its name (Tauri's text). What was set up before is torn down then.
 */
export async function setupPlugins(
  definition: CoreDefinition,
  app: App,
  apiOf: (plugin: Plugin) => PluginApi,
  last: Teardown,
): Promise<Teardown> {
  const teardowns: (() => unknown)[] = []
  const tearDown: Teardown = async hurry => {
    await runSequentially(teardowns.splice(0).reverse(), hurry, error =>
      app.log.error({ err: error }, 'a teardown failed'),
    )
    await last(hurry)
  }
  try {
    for (const plugin of definition.plugins ?? []) {
      const own = getApp(plugin, app)
      await setUpPlugin(plugin, own, apiOf(plugin))
      teardowns.push(() => plugin.teardown?.(own))
    }
    await definition.setup?.(app)
  } catch (error) {
    await tearDown(AbortSignal.timeout(FAILED_START_MS))
    throw error
  }
  teardowns.push(() => definition.teardown?.(app))
  return tearDown
}

/** Its log names the plugin, and is made with the first thing that there is to log. */
function getApp({ name }: Plugin, app: App): App {
  let log: App['log'] | undefined
  const getLog = (): App['log'] => (log ??= app.log.child({ plugin: name }))
  return Object.create(app, { log: { get: getLog, enumerable: true } }) as App
}

/** What is waited for while a core that can't start is ended. */
const FAILED_START_MS = 1000

async function setUpPlugin(plugin: Plugin, app: App, api: PluginApi): Promise<void> {
  try {
    await plugin.setup?.(app, api)
  } catch (cause) {
    const reason = isBusError(cause) ? cause.reason : 'InternalError'
    throw new BusError(reason, `failed to initialize plugin \`${plugin.name}\`: ${describeThrown(cause)}`, { cause })
  }
}
