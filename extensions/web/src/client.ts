// `@sallyport/web/client`: the client of a page. A program in Node.js gets node-client.ts.
import type { Client, ClientTypes, TypedConnection } from '@sallyport/frontend'
import { type CoreLike, findCurrentClient, setCurrentClient } from '@sallyport/frontend/internal'
import { toNames } from '@sallyport/protocol/internal/errors'
import { checkOptionNames } from '@sallyport/protocol/internal/message'
import { BASE_PATH } from './contract/greeting.js'
import { findPageSession, PageSession, setPageSession, toSocketUrl } from './page-session.js'

export { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol/internal/errors'
export { Channel, createClient } from '@sallyport/frontend/internal'

/** Options of `connect`. */
export interface ConnectOptions {
  /** URL of the WebSocket, or of the page's server. In Node.js it can have the token. @default '/sallyport' of the page's own origin */
  url?: string | URL
  /** Headers of the WebSocket, such as a cookie that `authenticate` reads. In Node.js only: a browser has those of the page. */
  headers?: Readonly<Record<string, string>>
}

const OPTION_NAMES = toNames<ConnectOptions>({ url: true, headers: true })

/** Connects this page, or this program, to its bus, without types of commands. */
export function connect(options?: ConnectOptions): Promise<Client>
/**
 * Connects this page to its bus. The client reconnects by itself: calls in flight reject with `Disconnected`, and listeners and exposed
 * functions stay. While a page has a client of this server, this returns it: a page that `serveFrontends` serves has one from the start.
 * A program in Node.js passes the `url`, and gets a client with each call. With the type of a core module, the client is typed as by
 * `createClient`.
 *
 * @throws {BusError} Denied if the user is not logged in, or the token is wrong; Disconnected if the server does not answer or another
 * tab has the label
 * @example
 * const client = await connect<typeof import('./core.js').default>()
 * const greeting = await client.invoke('greet', { name: 'World' }) // string
 */
export function connect<Core extends CoreLike, Types extends ClientTypes = ClientTypes>(
  options?: ConnectOptions,
): Promise<TypedConnection<Core, Types>>
export async function connect(options: ConnectOptions = {}): Promise<unknown> {
  checkOptionNames('connect', options, OPTION_NAMES, undefined, String)
  const { url = BASE_PATH } = options
  const target = toSocketUrl(url)
  const existing = findPageSession(target)
  if (existing) return existing.connected
  const session = new PageSession({ url: target })
  setPageSession(target, session)
  const current = findCurrentClient()
  const isOpen = current && (await Promise.race([current.closed, Promise.resolve('open')])) === 'open'
  const client = await session.connected
  if (!isOpen && findCurrentClient() === current) setCurrentClient(client)
  return client
}
