// Plugins in the sandboxes of Sallyport. Core is in the host's thread, as in the quick start, and the bus runs before the plugin starts.
import { createBus, defineCore, type FrontendOptions } from '@sallyport/core'
import { fileURLToPath } from 'node:url'
import type { HostCode } from './host-code.js'
import { MODULE, type Plugin, type PluginHost, SCRIPT } from './plugin-host.js'

/** Far above the time of all calls. */
const REQUEST_TIMEOUT_MS = 180_000

const HOOK = fileURLToPath(new URL('../../hooks/check/', import.meta.url))

export interface BusPluginOptions {
  sandbox: FrontendOptions['sandbox'] & {}
  /** Each plugin has a gate. Without it, the pattern is brownfield. */
  isGated?: true
}

export async function loadBus(code: HostCode, { sandbox, isGated }: BusPluginOptions): Promise<PluginHost> {
  const { greet, echo_bytes: echoBytes } = code.functions
  const core = defineCore({
    commands: { greet, echo_bytes: (_, { request }) => echoBytes(request.body as Uint8Array) },
  })
  const bus = await createBus({ core, log: false, ...(isGated && { isolation: { dir: HOOK, gates: 'each' } }) })
  const isScript = (typeof sandbox === 'string' ? sandbox : sandbox.kind) === 'quickjs'
  return {
    start: async label => {
      const options = { sandbox, allow: ['greet', 'echo_bytes'], loadTimeout: REQUEST_TIMEOUT_MS }
      await bus.open(label, isScript ? SCRIPT : MODULE, options)
      const request: Plugin['request'] = (name, args) =>
        bus.call(label, name, args as Record<string, unknown>, { timeout: REQUEST_TIMEOUT_MS })
      return { request, end: () => bus.closeFrontend(label) }
    },
    close: () => bus.close({ timeout: 0 }),
  }
}
