// `@sallyport/web/client`: the client of a page.
import type { Client } from '@sallyport/frontend'
import { BASE_PATH } from './greeting.js'
import { findPageSession, getTab, PageSession } from './page-session.js'

export { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol/internal'
export { Channel } from '@sallyport/frontend/internal'

/** Options of `connect`. */
export interface ConnectOptions {
  /** URL of the WebSocket, or of the page's server. @default '/sallyport' of the page's own origin */
  url?: string | URL
}

/**
 * Connects this page to its bus. The client reconnects by itself: calls in flight reject with `Disconnected`, and listeners and exposed
 * functions stay. A page that `serveFrontends` serves has a client already, which this returns.
 *
 * @throws {BusError} Disconnected if the server refuses the page or does not answer, or another tab has its label
 * @example
 * const client = await connect()
 * await client.invoke('greet', { name: 'World' })
 */
export async function connect({ url = BASE_PATH }: ConnectOptions = {}): Promise<Client> {
  const target = new URL(url, location.href)
  const existing = url === BASE_PATH ? findPageSession() : undefined
  if (existing) return existing.connected as Promise<Client>
  if (target.pathname === '/') target.pathname = BASE_PATH
  target.protocol = target.protocol.replace('http', 'ws')
  target.searchParams.set('tab', getTab())
  return new PageSession({ url: target.href }).connected as Promise<Client>
}
