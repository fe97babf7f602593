// The client of this thread, for the module-level functions. It is kept under a registered symbol, so that a module finds
// it even where an installation holds this package twice.
import { BusError } from '@sallyport/protocol'
import type { Client } from './client.js'

const KEY = Symbol.for('@sallyport/frontend:client')

export function setCurrentClient(client: Client): void {
  Object.defineProperty(globalThis, KEY, { value: client, configurable: true })
}

export const findCurrentClient = (): Client | undefined => (globalThis as { [KEY]?: Client })[KEY]

/** @throws BusError `Disconnected` in a thread that is no frontend. */
export function currentClient(): Client {
  const client = findCurrentClient()
  if (client) return client
  throw new BusError(
    'Disconnected',
    'This thread is no frontend: @sallyport/frontend works in a module that createBus({ frontends }) or bus.open started. ' +
      'In the host, call `await bus.connect(label)` and use the client that it gives',
    { data: { delivered: 'no' } },
  )
}
