// Plugins in the sandboxes of Sallyport. Core is in the host's thread, as in the quick start, and the bus runs before the plugin starts.
import type { FrontendOptions } from '@sallyport/core'
import { endLoopAfter, type LoadPluginHost, MODULE, type Plugin, SCRIPT } from './plugin-host.js'

/** Far above the time of all calls. */
const REQUEST_TIMEOUT_MS = 60_000

export const loadBus =
  (sandbox: FrontendOptions['sandbox'] & {}): LoadPluginHost =>
  async code => {
    const { createBus, defineCore } = await import('@sallyport/core')
    const { greet, echo_bytes: echoBytes } = code.functions
    const core = defineCore({
      commands: { greet, echo_bytes: (_, { request }) => echoBytes(request.body as Uint8Array) },
    })
    const bus = await createBus({ core, log: false })
    return {
      start: async () => {
        const allow = ['greet', 'echo_bytes']
        await bus.open('plugin', sandbox === 'ses' ? SCRIPT : MODULE, { sandbox, allow })
        const request: Plugin['request'] = (name, args) =>
          bus.call('plugin', name, args, { timeout: REQUEST_TIMEOUT_MS })
        return { request, endLoop: () => endLoopAfter(code, request, () => bus.closeFrontend('plugin')) }
      },
      close: () => bus.close({ timeout: 0 }),
    }
  }
