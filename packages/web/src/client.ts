// `@sallyport/web/client`: the client of a page.
import type { Client } from '@sallyport/frontend'
import { BASE_PATH } from './greeting.js'
import { findPageSession, PageSession, setPageSession, toSocketUrl } from './page-session.js'

export { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol/internal'
export { Channel } from '@sallyport/frontend/internal'

/** Options of `connect`. */
export interface ConnectOptions {
  /** URL of the WebSocket, or of the page's server. @default '/sallyport' of the page's own origin */
  url?: string | URL
}

/**
 * Connects this page to its bus. The client reconnects by itself: calls in flight reject with `Disconnected`, and listeners and exposed
 * functions stay. While a page has a client of this server, this returns it: a page that `serveFrontends` serves has one from the start.
 *
 * @throws {BusError} Denied if the user is not logged in, or the token is wrong; Disconnected if the server does not answer or another
 * tab has the label
 * @example
 * const client = await connect()
 * await client.invoke('greet', { name: 'World' })
 */
export async function connect({ url = BASE_PATH }: ConnectOptions = {}): Promise<Client> {
  const target = toSocketUrl(url)
  const existing = findPageSession(target)
  if (existing) return existing.connected as Promise<Client>
  const session = new PageSession({ url: target })
  setPageSession(target, session)
  return session.connected as Promise<Client>
}
