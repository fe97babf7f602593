// The two ends of a link before it is one: what the host makes, and gives to the two threads that the link will join.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Link } from '../wire/link.js'
import { createPortLink } from './port-link.js'
import { createRingBuffers } from './ring/ring-buffer.js'
import { createRingLink } from './ring/ring-link.js'

/** `ring`: through shared memory, polled while that pays. `port`: through a MessagePort. */
export type LinkKind = 'ring' | 'port'

/** One end. It crosses to its thread by structured clone, with `port` in the list of what is given away. */
export interface LinkEndpoint {
  port: MessagePort
  /** The memory of a ring link; what is `out` here is `in` at the other end. */
  rings?: { out: SharedArrayBuffer; in: SharedArrayBuffer }
  /** `false`: a ring is never polled. */
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
  const [there, back] = createRingBuffers()
  return [
    { port: port1, rings: { out: there, in: back }, poll },
    { port: port2, rings: { out: back, in: there }, poll },
  ]
}

/** @param awaitsReplies this end mostly asks, and expects an answer soon after it has sent */
export function openLink({ port, rings, poll }: LinkEndpoint, awaitsReplies: boolean): Link {
  return rings ? createRingLink({ ...rings, port, awaitsReplies, poll }) : createPortLink(port)
}
