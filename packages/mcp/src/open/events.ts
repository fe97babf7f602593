// Events of an opened server.
import type { DeniedHost } from '@sallyport/core/launchers'

/** A tool that is not as it was accepted. */
export interface ToolChange {
  /** Name of the tool. */
  readonly tool: string
  /** `added` and `changed` tools are refused until `accept`; `removed` ones do not exist any more. */
  readonly change: 'added' | 'changed' | 'removed'
}

/** Events of `openMcp`. */
export interface McpServerEvents {
  /** Tools are not as they were accepted. */
  changed: { readonly changes: readonly ToolChange[] }
  /** The server asked for a host that `net` does not list, or for a private address. At most ten times a second. */
  denied: DeniedHost
  /** The server has ended, and restarts in `delay` milliseconds. */
  restart: { readonly reason: string; readonly delay: number }
  /** The server has ended, and does not restart. Its calls reject. */
  failed: { readonly reason: string }
}

type Listener<Name extends keyof McpServerEvents> = (event: McpServerEvents[Name]) => void

/** Calls listeners. An error of one reaches no other, and is thrown in a tick of its own. */
export class ServerEvents {
  readonly #listeners: { [Name in keyof McpServerEvents]: Set<Listener<Name>> } = {
    changed: new Set(),
    denied: new Set(),
    restart: new Set(),
    failed: new Set(),
  }

  on<Name extends keyof McpServerEvents>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.#listeners[name] as Set<Listener<Name>>
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  emit<Name extends keyof McpServerEvents>(name: Name, event: McpServerEvents[Name]): void {
    for (const listener of this.#listeners[name] as Set<Listener<Name>>) {
      try {
        listener(event)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
