// The client for links that the host itself makes.
import type { BusError, Link } from '@sallyport/protocol/internal'
import { Client, type ClientOptions } from './client/client.js'
import { ConnectionPool } from './client/connection-pool.js'

export { Channel } from './client/channel.js'
export type { Client } from './client/client.js'
export type { Exposed } from './client/exposed-functions.js'
export type { EventHandler } from './client/listeners.js'
export type { InvokeOptions, ListenOptions } from './client/options.js'

// The controls of a reconnecting client. They are functions, because users get the client itself.

export interface ReconnectingClientOptions extends ClientOptions {
  /** True if a gate checks what the client sends. */
  isolated?: boolean
  /** Sends each call's deadline to core, which a network can disconnect without notice. */
  deadlines?: boolean | undefined
}

/** The class of clients with its constructor, which is not public. */
export const LinkClient: new (link: Link, options: ReconnectingClientOptions & { reconnects?: boolean }) => Client =
  Client

/** Creates a client that stays open when its link closes, until its user or `endClient` closes it. */
export const createReconnectingClient = (link: Link, options: ReconnectingClientOptions): Client =>
  new Client(link, { ...options, reconnects: true })

/** Continues over another link. Resolves once core knows the client's listeners again; nothing else is sent before. */
export const reconnectClient = (client: Client, link: Link): Promise<void> => client.reconnect(link)

/** Waits until new listeners have received the events that core has kept for them. Resolves with false if none is new. */
export const settleListeners = (client: Client): Promise<boolean> => client.settleListeners()

/** Resolves once the calls of the client that wait for a response now have been settled. */
export const callsSettled = (client: Client): Promise<void> => client.getPool(ConnectionPool).callsSettled()

/** Closes the client immediately: no other link will follow. */
export const endClient = (client: Client, reason: BusError | undefined): void => client.end(reason)

/** Adds a link to another core of the same bus. Each call uses the core with the fewest calls in flight. */
export const addConnection = (client: Client, link: Link): void => client.getPool(ConnectionPool).add(link)

export const endConnection = (client: Client, link: Link, reason: BusError | undefined): void =>
  client.getPool(ConnectionPool).endConnection(link, reason)
export { findCurrentClient, setCurrentClient } from './client/current-client.js'
export type { CallParameters, CommandName, CommandResult, CoreLike } from './types/commands.js'
export { createClient } from './types/client.js'
export type { ClientTypes, EmitParameters } from './types/client.js'
export type { Serialized } from './types/serialized.js'
export { install, type TauriRuntime } from './tauri/install.js'
