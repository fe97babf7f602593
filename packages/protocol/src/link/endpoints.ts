// The endpoints of links. The host creates those of one link together and hands each to its thread. In brownfield, frontend and core are
// the ends of a link in both directions. In the isolation pattern a link is a triangle: frontend → gate → core → frontend.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Link } from '../wire/link.js'
import { createPortLink } from './port-link.js'
import { createRingBuffer, endRings } from './ring/ring-buffer.js'
import type { PollMode } from './ring/polling.js'
import { createRingLink } from './ring/ring-link.js'

/** `ring`: shared memory, polled while that pays. `port`: MessagePorts, for threads that trust each other. */
export type LinkKind = 'ring' | 'port'

export type { PollMode }

/** An end of a link: what its thread sends to, and what it receives from. */
export type LinkEndpoint =
  | {
      kind: 'ring'
      out: SharedArrayBuffer
      in: SharedArrayBuffer
      poll: PollMode
    }
  | { kind: 'port'; out: MessagePort; in: MessagePort }

/** Creates the two ends of a link. */
export function createLinkEndpoints(kind: LinkKind, poll: PollMode = 'adaptive'): [LinkEndpoint, LinkEndpoint] {
  if (kind === 'ring') {
    const [forward, backward] = [createRingBuffer(), createRingBuffer()]
    return [
      { kind, out: forward, in: backward, poll },
      { kind, out: backward, in: forward, poll },
    ]
  }
  const { port1, port2 } = new MessageChannel()
  return [
    { kind, out: port1, in: port1 },
    { kind, out: port2, in: port2 },
  ]
}

/** The ends of a link of the isolation pattern: each sends to the next one. */
export interface TriangleEndpoints {
  frontend: LinkEndpoint
  gate: LinkEndpoint
  core: LinkEndpoint
}

export function createTriangleEndpoints(kind: LinkKind, poll: PollMode = 'adaptive'): TriangleEndpoints {
  if (kind === 'ring') {
    const [toGate, toCore, toFrontend] = [createRingBuffer(), createRingBuffer(), createRingBuffer()]
    return {
      frontend: { kind, out: toGate, in: toFrontend, poll },
      gate: { kind, out: toCore, in: toGate, poll },
      core: { kind, out: toFrontend, in: toCore, poll },
    }
  }
  const [toGate, toCore, toFrontend] = [new MessageChannel(), new MessageChannel(), new MessageChannel()]
  return {
    frontend: { kind, out: toGate.port1, in: toFrontend.port2 },
    gate: { kind, out: toCore.port1, in: toGate.port2 },
    core: { kind, out: toFrontend.port1, in: toCore.port2 },
  }
}

/** Returns the ports to transfer with an endpoint. */
export const getPorts = (endpoint: LinkEndpoint): MessagePort[] =>
  endpoint.kind === 'ring' ? [] : [...new Set([endpoint.out, endpoint.in])]

/** Closes an endpoint on behalf of its thread, which has exited or never got it. The ports of a thread close with the thread. */
export function closeEndpoint(endpoint: LinkEndpoint): void {
  if (endpoint.kind === 'ring') return endRings(endpoint.out, endpoint.in)
  for (const port of getPorts(endpoint)) port.close()
}

/** @param awaitsReplies - true for an end that mostly sends requests, and expects a response soon after each */
export const openLink = (endpoint: LinkEndpoint, awaitsReplies: boolean): Link =>
  endpoint.kind === 'ring' ? createRingLink({ ...endpoint, awaitsReplies }) : createPortLink(endpoint.out, endpoint.in)
