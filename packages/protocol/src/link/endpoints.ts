// The endpoints of links. The host creates those of one link together and hands each to its thread. In brownfield, frontend and core are
// the ends of a link in both directions. In the isolation pattern a link is a triangle: frontend → gate → core → frontend.
import { MessageChannel, type MessagePort, type WorkerOptions } from 'node:worker_threads'
import type { Frame, Link, LinkReceiver } from '../wire/link.js'
import { closeDirectSocket, type DirectEndpoint, openDirectLink } from './direct-socket.js'
import { createLocalEndpoints, type LocalEndpoint, openLocalLink } from './local-link.js'
import { PortLink } from './port-link.js'
import type { PollMode } from './ring/polling.js'
import { areRingsEnded, createRingBuffer, endRings } from './ring/ring-buffer.js'
import { type RingEndpoint, RingLink } from './ring/ring-link.js'
import { createDeferred } from '../util/promises.js'

/** What a message can transfer. The name of this type differs between versions of @types/node. */
export type TransferListItem = NonNullable<WorkerOptions['transferList']>[number]

/** `ring`: shared memory, polled while that pays. `port`: MessagePorts, for threads that trust each other. */
export type LinkKind = 'ring' | 'port'

export type { PollMode }

/** An end of a link: what its thread sends to, and what it receives from. */
export type LinkEndpoint =
  | ({ kind: 'ring' } & RingEndpoint)
  | { kind: 'port'; out: MessagePort; in: MessagePort }
  | LocalEndpoint
  | DirectEndpoint
  | { kind: 'split'; to: LinkEndpoint; from: LinkEndpoint }

/**
 * @param kind - `local` if both ends are in this thread
 * @param ringBytes - the size of each ring
 */
export function createLinkEndpoints(
  kind: LinkKind | 'local',
  poll: PollMode = 'adaptive',
  ringBytes?: number,
): [LinkEndpoint, LinkEndpoint] {
  if (kind === 'local') return createLocalEndpoints()
  if (kind === 'ring') return createCircle(kind, poll, 2, ringBytes) as [LinkEndpoint, LinkEndpoint]
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

export function createTriangleEndpoints(
  kind: LinkKind,
  poll: PollMode = 'adaptive',
  ringBytes?: number,
): TriangleEndpoints {
  const [frontend, gate, core] = createCircle(kind, poll, 3, ringBytes)
  return { frontend: frontend!, gate: gate!, core: core! }
}

/** Returns the ends of a link whose frontend is a process with a socket of its own to core. */
export function createDirectEndpoints(id: number): Omit<TriangleEndpoints, 'gate'> {
  const end: DirectEndpoint = { kind: 'direct', id }
  return { frontend: end, core: end }
}

/** Returns the ends for a process with a socket to its gate and one from core. Between the two threads is a link of the given kind. */
export function createDirectTriangle(
  [toGate, fromCore]: readonly [number, number],
  kind: LinkKind,
  poll: PollMode = 'adaptive',
): TriangleEndpoints {
  const [gateEnd, coreEnd] = createLinkEndpoints(kind, poll)
  const fromFrontend: DirectEndpoint = { kind: 'direct', id: toGate }
  return {
    frontend: fromFrontend,
    gate: { kind: 'split', to: gateEnd, from: fromFrontend },
    core: { kind: 'split', to: { kind: 'direct', id: fromCore }, from: coreEnd },
  }
}

function createCircle(kind: LinkKind, poll: PollMode, count: number, ringBytes?: number): LinkEndpoint[] {
  if (kind === 'ring') {
    const rings = Array.from({ length: count }, () => createRingBuffer(ringBytes))
    return rings.map((out, index) => ({ kind, out, in: rings.at(index - 1)!, poll }))
  }
  const channels = Array.from({ length: count }, () => new MessageChannel())
  return channels.map(({ port1 }, index) => ({ kind, out: port1, in: channels.at(index - 1)!.port2 }))
}

export function getPorts(endpoint: LinkEndpoint): MessagePort[] {
  if (endpoint.kind === 'split') return [...getPorts(endpoint.to), ...getPorts(endpoint.from)]
  return endpoint.kind === 'port' ? [...new Set([endpoint.out, endpoint.in])] : []
}

/** Closes an endpoint on behalf of its thread, which has exited or never got it. The ports of a thread close with the thread. */
export function closeEndpoint(endpoint: LinkEndpoint): void {
  if (endpoint.kind === 'ring') return endRings(endpoint.out, endpoint.in)
  if (endpoint.kind === 'local') return openLocalLink(endpoint).close()
  // The thread that owns the socket closes it with its end.
  if (endpoint.kind === 'direct') return closeDirectSocket(endpoint)
  if (endpoint.kind === 'split') {
    closeEndpoint(endpoint.to)
    return closeEndpoint(endpoint.from)
  }
  for (const port of getPorts(endpoint)) port.close()
}

/** Returns the ends that their thread has not closed. Whoever sleeps at the others is woken. Of ports, only their thread knows. */
export const takeOpenEndpoints = (endpoints: readonly LinkEndpoint[]): LinkEndpoint[] =>
  endpoints.filter(endpoint => {
    if (endpoint.kind !== 'ring' || !areRingsEnded(endpoint.out, endpoint.in)) return true
    closeEndpoint(endpoint)
    return false
  })

/** @param awaitsReplies - true for an end that mostly sends requests, and expects a response soon after each */
export function openLink(endpoint: LinkEndpoint, awaitsReplies: boolean): Link {
  if (endpoint.kind === 'ring') return new RingLink(endpoint, awaitsReplies)
  if (endpoint.kind === 'port') return new PortLink(endpoint.out, endpoint.in)
  if (endpoint.kind === 'direct') return openDirectLink(endpoint)
  if (endpoint.kind === 'local') return openLocalLink(endpoint)
  return new SplitLink(openLink(endpoint.to, awaitsReplies), openLink(endpoint.from, awaitsReplies))
}

/** A link that sends to one link and receives from another: an end of the isolation pattern whose two directions lead to different places. */
export class SplitLink implements Link {
  readonly #to: Link
  readonly #from: Link
  readonly #toClosed = createDeferred()
  #isClosing = false

  constructor(to: Link, from: Link) {
    this.#to = to
    this.#from = from
    // Nothing is expected from there, and nothing is read that a hostile peer sends. A peer that no longer reads can still send.
    to.receive({ frame: () => {}, closed: () => this.#toClosed.resolve() })
    to.pause()
  }

  get frameMessages(): number | undefined {
    return this.#to.frameMessages
  }

  get queued(): number {
    return this.#to.queued
  }

  get begun(): number {
    return this.#from.begun ?? 0
  }

  set isPatient(value: boolean) {
    this.#to.isPatient = value
  }

  get unsent(): number {
    return this.#to.unsent ?? 0
  }

  send(frame: Frame): void {
    this.#to.send(frame)
  }

  room(): Promise<void> | undefined {
    return this.#to.room()
  }

  receive(receiver: LinkReceiver): void {
    this.#from.receive({
      forwards: receiver.forwards === true,
      readsImmediately: receiver.readsImmediately === true,
      isShared: receiver.isShared === true,
      frame: frame => receiver.frame(frame),
      closed: async fault => {
        if (this.#isClosing) await this.#toClosed.promise
        await receiver.closed(fault)
        // The receiver can have sent its last frames.
        this.#to.close()
      },
    })
  }

  pause(): void {
    this.#from.pause()
  }

  resume(): void {
    this.#from.resume()
  }

  close(): void {
    this.#isClosing = true
    this.#to.close()
    this.#from.close()
  }
}
