// Events between the instances of a bus: what is emitted here is published, sealed, and what comes of the others is delivered to
// the listeners here. An event that can't go is dropped, counted and told: nobody waits for events.
import type { Hub } from '@sallyport/core/network'
import { BusError, codecs, toEventTarget, type EventTarget } from '@sallyport/protocol'
import { createBroadcast } from '../broadcast.js'
import type { Connection } from '../connection.js'
import { eventsSubject } from '../subjects.js'
import { NOBODY, type Faults } from './faults.js'
import type { Identity } from './identity.js'
import { Unsent } from './unsent.js'

export interface EventsParts extends Identity {
  hub: Pick<Hub, 'onEmit' | 'deliver'>
  connection: Connection
  faults: Faults
}

const METHOD = 'event'

/** Begins to carry events, both ways. */
export function carryEvents({ hub, connection, faults, ...identity }: EventsParts): void {
  const subject = eventsSubject(identity.bus)
  const broadcast = createBroadcast({ ...identity, subject })
  const unsent = new Unsent(connection)
  const fault = (error: BusError): void => faults.tell(NOBODY, error)

  function publish(target: EventTarget | undefined, event: string, payload: unknown): void {
    if (!connection.isUp) return
    const message = broadcast.seal(write(target, event, payload))
    const { byteLength } = message
    if (byteLength > connection.maxPayload) {
      const over = `its ${byteLength} bytes are over the ${connection.maxPayload} that the server lets through`
      return fault(new BusError('Overloaded', `The event ${event} did not go to the other instances: ${over}`))
    }
    if (!unsent.add(byteLength)) {
      const why = 'the server takes events more slowly than they come'
      return fault(new BusError('Overloaded', `The event ${event} did not go to the other instances: ${why}`))
    }
    connection.publish(subject, message)
  }

  function take(message: Uint8Array): void {
    const opened = broadcast.open(message)
    if (!opened) return fault(new BusError('InvalidRequest', 'What came as an event is forged, or was played again'))
    try {
      const { target, event, payload } = read(opened.plain)
      hub.deliver(target, event, payload)
    } catch (cause) {
      fault(new BusError('InvalidRequest', `An event of ${opened.instance} could not be delivered`, { cause }))
    }
  }

  hub.onEmit(publish)
  connection.subscribe(subject, ({ data }) => take(data))
}

interface Event {
  target: EventTarget | undefined
  event: string
  payload: unknown
}

/** @throws for a payload that MessagePack can't carry */
function write(target: EventTarget | undefined, event: string, payload: unknown): Uint8Array {
  const params = { event, target: target ?? null, payload }
  return codecs.msgpack.encode({ jsonrpc: '2.0', method: METHOD, params }, true) as Uint8Array
}

/** It comes of an instance: only versions of this package can disagree on it. */
function read(plain: Uint8Array): Event {
  const { method, params } = codecs.msgpack.decode(plain, true) as { method: string; params: Event }
  if (method !== METHOD) throw new BusError('InvalidRequest', 'This is no event')
  const { target, event, payload } = params
  return { target: target == null ? undefined : toEventTarget(target), event, payload }
}
