// A measured plugin and its host, and the host's functions that the plugin calls. They note when calls arrive, because not every plugin has a clock.
import type { FrontendOptions } from '@sallyport/core'

export interface BusPluginOptions {
  sandbox: FrontendOptions['sandbox'] & {}
  /** Each plugin has a gate. Without it, the pattern is brownfield. */
  isGated?: true
}

/** The functions that `frontends/plugin.js` exposes. */
type PluginFunction = 'greet' | 'call_each' | 'call_many' | 'send_bytes' | 'spin'

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

export class HostCode {
  /** Times of the calls since the last `reset`, in ms. */
  readonly arrivals: number[] = []
  #awaited = 0
  #resolve = (): void => {}

  readonly functions = {
    greet: ({ name }: { name: string }): string => {
      this.#note()
      return `Hello, ${name}!`
    },
    echo_bytes: (bytes: Uint8Array): Uint8Array => {
      this.#note()
      return bytes
    },
  }

  reset(): void {
    this.arrivals.length = 0
  }

  /** Resolves to the time of the last of the next `count` calls. One caller can wait at a time. */
  async waitForCalls(count = 1): Promise<number> {
    this.#awaited = count
    await new Promise<void>(resolve => (this.#resolve = resolve))
    return this.arrivals.at(-1)!
  }

  #note(): void {
    this.arrivals.push(performance.now())
    if (--this.#awaited === 0) this.#resolve()
  }
}
