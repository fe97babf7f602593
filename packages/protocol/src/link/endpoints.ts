// The endpoints of a link: the host creates a pair and transfers each to one of the two threads that the link connects.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Link } from '../wire/link.js'
import { createPortLink } from './port-link.js'
import { createRingBuffers } from './ring/ring-buffer.js'
import { createRingLink } from './ring/ring-link.js'

/** `ring`: shared memory, polled while that pays. `port`: a MessagePort. */
export type LinkKind = 'ring' | 'port'

/** An endpoint. It is posted to its thread with `port` in the transfer list. */
export interface LinkEndpoint {
  port: MessagePort
  /** Memory of a ring link. `out` of one endpoint is `in` of the other. */
  rings?: { out: SharedArrayBuffer; in: SharedArrayBuffer }
  /** False if a ring must never be polled. */
  poll: boolean
}

export function createLinkEndpoints(kind: LinkKind, poll = true): [LinkEndpoint, LinkEndpoint] {
  const { port1, port2 } = new MessageChannel()
  if (kind === 'port') {
    return [
      { port: port1, poll },
      { port: port2, poll },
    ]
  }
  const [forward, backward] = createRingBuffers()
  return [
    { port: port1, rings: { out: forward, in: backward }, poll },
    { port: port2, rings: { out: backward, in: forward }, poll },
  ]
}

/** @param awaitsReplies - true for an end that mostly sends requests, and expects a response soon after each */
export function openLink({ port, rings, poll }: LinkEndpoint, awaitsReplies: boolean): Link {
  return rings ? createRingLink({ ...rings, port, awaitsReplies, poll }) : createPortLink(port)
}
