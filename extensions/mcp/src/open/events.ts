// Events of an opened server.
import { queueMicrotask } from '@sallyport/protocol/internal/util'
import type { DeniedHost } from '@sallyport/core/launchers'
import { checkNames } from '../shared/check-names.js'

/** A tool that is not as it was accepted, or that was accepted and cannot be a command. */
export interface ToolChange {
  /** Name of the tool. */
  readonly tool: string
  /** `added` and `changed` tools are refused until `accept`; `removed` ones do not exist any more; `unserved` ones are no commands. */
  readonly change: 'added' | 'changed' | 'removed' | 'unserved'
  /** Why a tool is `unserved`: its name, its schema, or another tool with the same permission. */
  readonly reason?: string
}

/** Events of `openMcp`. */
export interface McpServerEvents {
  /** Tools are not as they were accepted, or cannot be commands. */
  changed: { readonly changes: readonly ToolChange[] }
  /** The server asked for a host that `net` does not list, or for a private address. At most ten times a second. */
  denied: DeniedHost
  /** The server has ended, and restarts in `delay` milliseconds. */
  restart: { readonly reason: string; readonly delay: number }
  /** The server has ended, and does not restart. Its calls reject. */
  failed: { readonly reason: string }
}

type Listener<Name extends keyof McpServerEvents> = (event: McpServerEvents[Name]) => void

/** Calls listeners, each in a tick of its own: an error of one reaches no other. */
export class ServerEvents {
  readonly #listeners: { [Name in keyof McpServerEvents]: Set<Listener<Name>> } = {
    ...{ changed: new Set(), denied: new Set(), restart: new Set(), failed: new Set() },
  }

  /** @throws {BusError} InvalidParams for an unknown event */
  on<Name extends keyof McpServerEvents>(name: Name, listener: Listener<Name>): () => void {
    checkNames('openMcp: on', { [name]: listener }, Object.keys(this.#listeners))
    const listeners: Set<Listener<Name>> = this.#listeners[name]
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  emit<Name extends keyof McpServerEvents>(name: Name, event: McpServerEvents[Name]): void {
    for (const listener of this.#listeners[name]) queueMicrotask(() => listener(event))
  }
}
