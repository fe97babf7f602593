// Gives a thread whose only network is a broker `fetch` and sockets that use it, and the placeholders of its secrets.
import type { LinkEndpoint } from '@sallyport/protocol/internal/link'
import { setSecrets } from '../../client/secrets.js'
import { setBroker } from './broker-session.js'
import { replaceConnections } from './broker-sockets.js'
import { createFetch } from './broker-fetch.js'

/** @param env - placeholders by the name of a variable. @param link - left out in a process, which has a pipe */
export function useBroker(env: Readonly<Record<string, string>>, link: LinkEndpoint | undefined): void {
  setBroker(link)
  Object.assign(process.env, env)
  setSecrets(env)
  const value = createFetch(globalThis.fetch, Object.keys(env).length > 0)
  Object.defineProperty(globalThis, 'fetch', { value, writable: true, enumerable: true, configurable: true })
  replaceConnections()
}
