// Plugins in the sandboxes of Sallyport, with core in the host's thread, as in the quick start, and clients of a core in a worker. The bus runs
// before they start.
import { createBus, defineCore, type FrontendOptions } from '@sallyport/core'
import { fileURLToPath } from 'node:url'
import type { HostCode, Plugin, PluginHost } from './measure.js'

export interface BusPluginOptions {
  sandbox: FrontendOptions['sandbox'] & {}
  /** Each plugin has a gate. Without it, the pattern is brownfield. */
  isGated?: true
}

/** The program of every plugin: a classic script, and a module that runs it in Sallyport's sandboxes. */
const SCRIPT: URL = new URL('../../frontends/plugin.js', import.meta.url)
const MODULE: URL = new URL('../../frontends/plugin-module.js', import.meta.url)

/** Far above the time of all calls. */
const REQUEST_TIMEOUT_MS = 180_000

const HOOK = fileURLToPath(new URL('../../hooks/check/', import.meta.url))

/** Each client is in the host's thread. */
export async function loadClients(link: 'ring' | 'port', isGated: boolean): Promise<PluginHost> {
  const core = new URL('../workers/core.js', import.meta.url)
  process.env['SALLYPORT_LINK'] = link
  const bus = await createBus({ core, log: false, ...(isGated && { isolation: { dir: HOOK } }) })
  return {
    start: async label => {
      const client = await bus.connect(label)
      return {
        request: (name, args) => client.invoke(name, args as Record<string, unknown>),
        end: () => bus.closeFrontend(label),
      }
    },
    close: () => bus.close({ timeout: 0 }),
  }
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
