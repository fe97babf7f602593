// An event's way to one home: which of its listeners hear it. It stays the same until listeners come or go, so that events in
// a row make a run.
import { METHOD, type CallMessage } from '@sallyport/protocol'
import type { Payload } from './payload.js'
import type { RunHome } from './runs.js'

/** Where listeners live. `label` is the frontend's; core and host have none, and hear everything. */
export interface ListenerHome {
  readonly label: string | undefined
  /** Its listeners get the very payload, not a copy: whatever they do with it, the others have theirs by then. */
  readonly sharesPayload?: true
  /** An event has come from there. */
  emitted?(event: unknown): void
  /** @throws when the payload can't be carried there. */
  deliver(delivery: Delivery, payload: Payload): void
}

export class Delivery implements RunHome {
  readonly event: string
  readonly home: ListenerHome
  readonly ids: number[] = []

  constructor(event: string, home: ListenerHome) {
    this.event = event
    this.home = home
  }

  one(payload: unknown): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.event, params: { event: this.event, ids: this.ids, payload } }
  }

  many(): CallMessage {
    return { jsonrpc: '2.0', method: METHOD.event, params: { event: this.event, ids: this.ids, payloads: null } }
  }
}
