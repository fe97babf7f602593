// What the host takes from here for links of its own: the client, and the link through a gate.
import type { BusError, Link } from '@sallyport/protocol'
import { Client, type ClientOptions } from './client/client.js'

export { Channel } from './client/channel.js'
export { Client, type ClientOptions } from './client/client.js'
export type { EventHandler } from './client/event-handler.js'

export type { EmitOptions, InvokeOptions, ListenOptions } from './client/options.js'
export { throughGate } from './client/gated-link.js'

// A client that outlasts its links, as the bus's are: what the host does with one, and its users never do.

export interface ReconnectingClientOptions extends ClientOptions {
  /** Its calls tell core of their deadlines: over a network, it may be gone without a word. */
  deadlines?: boolean | undefined
}

/** It is closed by its user, or by `endClient`. */
export const createReconnectingClient = (link: Link, options: ReconnectingClientOptions): Client =>
  new Client(link, { ...options, reconnects: true })

/** It goes on over this link. Resolves once core knows of its listeners again, which nothing else is sent before. */
export const reconnectClient = (client: Client, link: Link): Promise<void> => client.reconnect(link)

/** No other link will follow. */
export const endClient = (client: Client, why: BusError | undefined): void => client.end(why)

/** A link to one more core of the same bus: each call takes the core with the fewest under way. */
export const addConnection = (client: Client, link: Link): void => client.addConnection(link)

/** What goes over this link alone has ended. */
export const endConnection = (client: Client, link: Link, why: BusError | undefined): void =>
  client.endConnection(link, why)
