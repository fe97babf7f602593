// Names that fragments on any page can use without a declaration. A page that needs more declares it in a comment:
// <!-- given: declare const notes: Map<string, string> -->
import type { App, Bus, Channel as CoreChannel, Client, CommandContext } from '@sallyport/core'

export { CommandError, command, createBus, defineCore, plugin, stateKey, transfer } from '@sallyport/core'
export { explainCapabilities } from '@sallyport/core/acl'
export { emit, emitTo, expose, getData, getLabel, invoke, listen, once, stream } from '@sallyport/frontend'
export { Channel, createClient, isBusError } from '@sallyport/frontend'

export declare const app: App
export declare const bus: Bus
export declare const client: Client
export declare const ctx: CommandContext
export declare const channel: CoreChannel
/** The location of a core module. */
export declare const core: URL
/** The location of a frontend's module. */
export declare const module: URL
export declare const signal: AbortSignal
export declare const timeout: number
export declare const headers: Record<string, string>
export declare const url: string
export declare const path: string
export declare const bytes: Uint8Array<ArrayBuffer>
export declare const payload: { name: string }

declare global {
  /** The client of a script in QuickJS. */
  var sallyport: typeof import('@sallyport/frontend') & { label: string; data: unknown }
}
