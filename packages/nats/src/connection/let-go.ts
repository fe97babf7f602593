// A server that stands still, under load. The client gives one up only once the socket has taken what is left to write: with a
// full buffer that is never, and the client would wait for it, in place of connecting to another.
import type { NatsConnection } from '@nats-io/transport-node'
import type { Socket } from 'node:net'

interface Internals {
  protocol?: { transport?: { socket?: Socket } }
}

/** Ends the socket of a client that has given its server up: what waits in it is lost. */
export const letGo = (nats: NatsConnection): void =>
  void (nats as unknown as Internals).protocol?.transport?.socket?.destroy()
