// The interfaces of a measured plugin and its host.
import { setTimeout as delay } from 'node:timers/promises'
import type { HostCode } from './host-code.js'

/** The functions that `frontends/plugin.js` exposes. */
export type PluginFunction = 'call_each' | 'call_many' | 'send_bytes' | 'spin'

export interface Plugin {
  request(name: PluginFunction, args: { count: number }): Promise<unknown>
  /** Starts an endless loop, and ends the plugin. Returns the time from the decision to end it until it is gone, in ms. */
  endLoop(): Promise<number>
}

/** A host whose library is loaded. */
export interface PluginHost {
  start(): Promise<Plugin>
  close?(): Promise<void>
}

export type LoadPluginHost = (code: HostCode) => Promise<PluginHost>

/** Length of the endless loop before the decision to end it. */
export const SPIN_MS = 200

/**
 * Ends a plugin that does not share the host's thread.
 *
 * @param end - resolves when the plugin is gone; `settled` resolves with the request of the loop
 */
export async function endLoopAfter(
  code: HostCode,
  request: Plugin['request'],
  end: (settled: Promise<unknown>) => Promise<unknown>,
): Promise<number> {
  const called = code.waitForCall()
  const settled = request('spin', { count: 1 }).catch(() => {})
  await called
  await delay(SPIN_MS)
  const start = performance.now()
  await end(settled)
  return performance.now() - start
}

/** The program of every plugin: a classic script, and a module that runs it in Sallyport's sandboxes. */
export const SCRIPT: URL = new URL('../../frontends/plugin.js', import.meta.url)
export const MODULE: URL = new URL('../../frontends/plugin-module.js', import.meta.url)
