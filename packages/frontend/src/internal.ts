// The client for links that the host itself makes.
import { type BusError, createCallPromise, describeCommand } from '@sallyport/protocol/internal/errors'
import { createAbortError } from '@sallyport/protocol/internal/message'
import { waitForCalls } from '@sallyport/protocol/internal/rpc'
import type { InitScript } from '@sallyport/protocol/internal/contract'
import type { Link } from '@sallyport/protocol/internal/wire'
import { Stream } from './client/channel.js'
import { Client, type ClientOptions } from './client/client.js'
import type { Connection } from './client/connection.js'
import { ConnectionPool } from './client/connection-pool.js'
import type { InvokeOptions } from './client/arguments.js'
import { synchronize } from './client/synchronize.js'
import { setInitScripts } from './runtime/init-scripts.js'
import type { Client as AnyClient } from './types/client.js'

export { Channel, type Stream } from './client/channel.js'
export type { Client, ClientOptions } from './client/client.js'
export type { Exposed, ExposedContext } from './client/exposed-functions.js'
export type { CallerContexts } from './client/node-client-queue.js'
export type { EventHandler } from './client/listeners.js'
export type { InvokeOptions, ListenOptions } from './client/arguments.js'
export { findPlaceholder, type Placeholders } from './client/secrets.js'
export { ScriptClient, type ScriptClientOptions, type ScriptLink } from './client/script-client.js'
export { answerCalls } from './runtime/warm-up.js'

// The controls of a client. A user gets the client, and finds none of them on it.

/** The class of clients with its constructor, which is not public. */
export const LinkClient: new (link: Link, options: ClientOptions) => Client = Client

/**
 * Creates a client that stays open when its link closes, until its user or `endClient` closes it.
 *
 * @param getScripts - returns the scripts of core's plugins, which `installTauri` runs
 */
export function createReconnectingClient(
  link: Link,
  options: ClientOptions,
  getScripts: () => readonly InitScript[] = () => [],
): Client {
  const client = new Client(link, { ...options, reconnects: true })
  setInitScripts(client, getScripts)
  return client
}

/** What happens to a call of `streamWith`. */
export interface StreamEvents {
  /** Called before the call is made. @throws {BusError} that the loop throws, instead of the call */
  begins?(): void
  /** The frontend's own end of the channel was received, and all values before it were read. */
  ended(): void
  /** The response arrived: `null` after a stream. */
  answered(result: unknown): void
  /** Returns the error that the loop throws. */
  failed(error: BusError): BusError
}

/** Calls a command as `client.stream` does, and tells how the call ends. */
export const streamWith = (
  client: Client,
  command: string,
  args: object | undefined,
  options: InvokeOptions,
  events: StreamEvents,
): Stream =>
  new Stream((stream, resolve, reject) => {
    events.begins?.()
    stream.onend = () => events.ended()
    const { connection, id } = Client.call(client, {
      ...{ command, args, options, stream },
      resolve: result => {
        events.answered(result)
        resolve()
      },
      reject: error => reject(events.failed(error)),
    })
    return () => connection.pending.abandon(id, createAbortError(describeCommand(command), undefined))
  }, options.signal)

/** Calls a command as `client.invoke` does, and tells the number by which core names the call. `undefined` for one that cannot be sent. */
export function invokeWithId(
  client: AnyClient,
  command: string,
  args: object,
  options: InvokeOptions,
): { id: number | undefined; result: Promise<unknown> } {
  let id: number | undefined
  const result = createCallPromise<unknown>((resolve, reject) => {
    ;({ id } = Client.call(client as Client, { ...{ command, args, options, resolve, reject }, stream: undefined }))
  })
  return { id, result }
}

/** Continues over another link. Resolves once core knows the client's listeners again; nothing else is sent before. */
export const reconnectClient: (client: Client, link: Link) => Promise<void> = Client.reconnect

/** Changes the label of a page's client, which the server chooses with each link. */
export function renameClient(client: { label: string }, label: string): void {
  client.label = label
}

/** Waits until new listeners have received the events that core has kept for them. Resolves with false if none is new. */
export async function settleListeners(client: Client): Promise<boolean> {
  const { listeners, connection } = Client.getParts(client)
  if (!listeners.hasNew) return false
  listeners.hasNew = false
  await synchronize(connection)
  return true
}

/** Resolves once the calls of the client that wait for a response now have been settled. */
export function callsSettled(client: Client): Promise<void> {
  return pools.get(client)?.callsSettled() ?? waitForCalls(Client.getParts(client).connection.pending)
}

/** Lets a client refuse the calls and events that its user makes from now on. */
export const refuseCalls = (client: Client, createError: () => BusError): void =>
  (pools.get(client) ?? Client.getParts(client).connection).refuse(createError)

/** Closes the client immediately: no other link will follow. */
export const endClient: (client: Client, reason: BusError | undefined) => void = Client.end

const pools = new WeakMap<Client, ConnectionPool>()

/** Returns the connections to several cores. From then on links are added and ended, and `reconnectClient` is an error. */
function getPool(client: Client): ConnectionPool {
  const existing = pools.get(client)
  if (existing) return existing
  const { connection: first, listeners } = Client.getParts(client)
  const connect = (link: Link): Connection =>
    Client.open(client, link, {
      dispatch: event => listeners.dispatch(event),
      disconnected: () => pool.isPrimary(link) && listeners.disconnected(),
    })
  const replacePrimary = (primary: Connection): void => {
    Client.use(client, primary, pool)
    void listeners.resubscribe(primary)
  }
  const pool = new ConnectionPool(first, connect, replacePrimary)
  Client.use(client, first, pool)
  pools.set(client, pool)
  return pool
}

/** Adds a link to another core of the same bus. Each call uses the core with the fewest calls in flight. */
export const addConnection = (client: Client, link: Link): void => getPool(client).add(link)

export const endConnection = (client: Client, link: Link, reason: BusError | undefined): void =>
  getPool(client).endConnection(link, reason)
export { findCurrentClient, setCurrentClient } from './client/current-client.js'
export type {
  AnyCommandName,
  CallParameters,
  CommandName,
  CommandResult,
  CoreLike,
  StreamItem,
  StreamName,
} from './types/commands.js'
export { createClient } from './types/client.js'
export type { Client as AnyClient, ClientTypes, EmitParameters, EventMethods, TypedConnection } from './types/client.js'
export type { Serialized } from './types/serialized.js'
export { install, type TauriRuntime } from './tauri/install.js'
