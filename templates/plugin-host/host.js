// Opens plugins. Each is a frontend in a sandbox, behind the hook of dist-isolation/, with its own permissions.
// A plugin that throws outside of a call, or does not answer, is stopped. The others continue.
import { createBus, isBusError } from '@sallyport/core'
import { openPlugins } from '@sallyport/plugin-host'

/**
 * @param {object} options those of `openPlugins`, and who is informed
 * @param {(label: string, text: string) => void} options.onNotice
 * @param {(label: string, why: string) => void} options.onStopped
 */
export async function createPluginHost({ onNotice, onStopped, ...options }) {
  const bus = await createBus({
    core: new URL('core.js', import.meta.url),
    isolation: { dir: new URL('dist-isolation/', import.meta.url) },
  })
  await bus.listen('notice', ({ payload: { label, text } }) => onNotice(label, text))
  bus.on('exited', ({ label, reason }) => onStopped(label, reason))
  const plugins = await openPlugins(bus, {
    // Third-party code runs in a process in a wall, which only Linux has: elsewhere, run the program in a Linux container.
    frontend: {
      sandbox: { kind: 'process', wall: 'required', memory: 256 },
      supervision: { restart: 'temporary' },
    },
    ...options,
  })

  /** Calls a function that a plugin exposes. The result is untrusted, apart from the checks of the hook. `timeout` is in ms. */
  async function call(label, command, args, timeout = 5000) {
    try {
      return await bus.call(label, command, args, { timeout })
    } catch (error) {
      if (isBusError(error, 'Timeout')) {
        await plugins.disable(label)
        onStopped(label, 'does not answer')
      }
      throw error
    }
  }

  return { plugins, call, close: () => bus.close() }
}
