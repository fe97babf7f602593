// The interfaces of a measured plugin and its host.
import type { HostCode } from './host-code.js'

/** The functions that `frontends/plugin.js` exposes. */
export type PluginFunction = 'greet' | 'call_each' | 'call_many' | 'send_bytes' | 'spin'

export interface Plugin {
  request(name: PluginFunction, args: object): Promise<unknown>
  /** Ends an endless loop. Resolves when the plugin is gone. `settled` resolves with the request of the loop. */
  end(settled: Promise<unknown>): Promise<unknown>
}

/** A host whose library is loaded. It can start several plugins, each with a label of its own. */
export interface PluginHost {
  start(label: string): Promise<Plugin>
  close?(): Promise<void>
}

export type LoadPluginHost = (code: HostCode) => Promise<PluginHost>

/** Time for garbage, and for threads to release the memory of their start. */
export const SETTLE_MS = 500

/** Length of the endless loop before the decision to end it. */
export const SPIN_MS = 200

/** The program of every plugin: a classic script, and a module that runs it in Sallyport's sandboxes. */
export const SCRIPT: URL = new URL('../../frontends/plugin.js', import.meta.url)
export const MODULE: URL = new URL('../../frontends/plugin-module.js', import.meta.url)
