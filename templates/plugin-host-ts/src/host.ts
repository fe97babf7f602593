// Opens plugins. Each is a frontend in a sandbox, behind the hook of dist-isolation/, with its own permissions.
// A plugin that throws outside of a call, or does not answer, is stopped. The others continue.
import { createBus, isBusError } from '@sallyport/core'
import { openPlugins, type Plugins, type PluginsOptions } from '@sallyport/plugin-host'
import type { Events } from './core.js'

/** The plugins, what they are granted, and who is informed. */
export interface PluginHostOptions extends PluginsOptions {
  onNotice(label: string, text: string): void
  onStopped(label: string, why: string): void
}

export interface PluginHost {
  readonly plugins: Plugins
  /** Calls a function that a plugin exposes. The result is untrusted, apart from the checks of the hook. `timeout` is in ms. */
  call(label: string, command: string, args?: object, timeout?: number): Promise<unknown>
  close(): Promise<void>
}

export async function createPluginHost({ onNotice, onStopped, ...options }: PluginHostOptions): Promise<PluginHost> {
  const dir = new URL('../dist-isolation/', import.meta.url)
  const bus = await createBus<{ events: Events }>({
    core: new URL('core.js', import.meta.url),
    isolation: { dir },
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

  async function call(label: string, command: string, args?: object, timeout = 5000): Promise<unknown> {
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
