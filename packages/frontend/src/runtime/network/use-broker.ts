// Gives a thread whose only network is a broker `fetch` and sockets that use it, and the placeholders of its secrets.
import { setSecrets } from '../../client/secrets.js'
import { replaceConnections } from './broker-sockets.js'
import { createFetch } from './broker-fetch.js'

/** @param env - placeholders by the name of a variable */
export function useBroker(env: Readonly<Record<string, string>>): void {
  Object.assign(process.env, env)
  setSecrets(env)
  const value = createFetch(globalThis.fetch, Object.keys(env).length > 0)
  Object.defineProperty(globalThis, 'fetch', { value, writable: true, enumerable: true, configurable: true })
  replaceConnections()
}
