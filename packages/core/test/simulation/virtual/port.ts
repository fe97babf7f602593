// A message port in virtual time, under the real link. It delays messages, keeps their order, and can be cut at any moment, which
// loses messages in flight from some point on. A stalled peer receives nothing for a while.
import type { LinkEndpoint, TriangleEndpoints } from '@sallyport/protocol/internal/link'
import { EventEmitter } from 'node:events'
import type { MessagePort } from 'node:worker_threads'
import { Place } from './place.js'
import type { RingEnd } from './rings.js'
import type { Simulation } from '../simulation.js'
import type { SocketEnd } from './socket.js'

/** Creates both ends of a channel between two places. */
export function createPorts(simulation: Simulation, place: Place, other: Place): [SimulatedPort, SimulatedPort] {
  const [near, far] = [new SimulatedPort(simulation, place), new SimulatedPort(simulation, other)]
  near.peer = far
  far.peer = near
  far.fate = near.fate
  return [near, far]
}

const createEnd = (out: SimulatedPort, inward = out): LinkEndpoint => ({
  kind: 'port',
  out: out.asPort,
  in: inward.asPort,
})

/** The places that a link connects. */
type LinkPlaces<Actor extends keyof TriangleEndpoints> = Record<Actor, Place>

/** Creates the ends of a link of the brownfield pattern. */
export function createEnds(
  simulation: Simulation,
  { core, frontend }: LinkPlaces<'core' | 'frontend'>,
): Omit<TriangleEndpoints, 'gate'> {
  const [corePort, frontendPort] = createPorts(simulation, core, frontend)
  return { core: createEnd(corePort), frontend: createEnd(frontendPort) }
}

/** Creates the ends of a link of the isolation pattern. Only credit travels back. */
export function createTriangle(
  simulation: Simulation,
  { core, gate, frontend }: LinkPlaces<keyof TriangleEndpoints>,
): TriangleEndpoints {
  const [toGate, fromFrontend] = createPorts(simulation, frontend, gate)
  const [toCore, fromGate] = createPorts(simulation, gate, core)
  const [toFrontend, fromCore] = createPorts(simulation, core, frontend)
  return {
    frontend: createEnd(toGate, fromCore),
    gate: createEnd(toCore, fromFrontend),
    core: createEnd(toFrontend, fromGate),
  }
}

/** What an end of a link sends to, and what it receives from, which can be the same. */
export interface LinkEnds {
  out: SimulatedPort | SocketEnd | RingEnd
  in: SimulatedPort | SocketEnd | RingEnd
}

export const getSimulatedPorts = (end: LinkEndpoint): LinkEnds => end as unknown as LinkEnds

interface Post {
  readonly data: unknown
  readonly bytes: number
  /** Ports that travel with it. */
  readonly ports: readonly SimulatedPort[]
}

export class SimulatedPort extends EventEmitter {
  peer!: SimulatedPort
  place: Place
  /** Name of both ends. */
  fate = { isOver: false }
  readonly #simulation: Simulation
  /** Messages in flight to this end, with their times of arrival. */
  #coming: Post[] = []
  #comingBytes = 0
  #latest = 0
  /** When a thread goes on, it takes the messages of one port after the other: in an order that is not that of their arrival. */
  readonly #rank: number
  readonly #kept: (() => void)[] = []
  /** A listener for messages was added once. */
  #hasStarted = false
  /** This end sends nothing more. */
  #shut = false
  /** It has emitted `close`, or its thread is gone. */
  #over = false
  losesNothing = false

  constructor(simulation: Simulation, place: Place) {
    super()
    this.#simulation = simulation
    this.#rank = simulation.random.next() * 0.9
    this.place = place
    place.ports.add(this)
    // Like a port of Node, it keeps messages until a listener is added.
    this.on('newListener', event => {
      if (event !== 'message') return
      this.#hasStarted = true
      if (this.#kept.length === 0) return
      for (const run of this.#kept.splice(0)) this.#at(this.#simulation.clock.now, run)
    })
  }

  /** Transfers the port to another thread. It has no owner until it arrives. */
  travel(): void {
    this.place.ports.delete(this)
    this.place = new Place(`${this.place.name}, in flight`)
  }

  arrive(place: Place): void {
    this.place = place
    if (place.dead) this.cut()
    else place.ports.add(this)
  }

  /** Like Node's `postMessage`. Checks that the sender respects its credit. */
  postMessage(data: unknown, transfer: readonly (ArrayBuffer | SimulatedPort)[] = []): void {
    if (this.#shut || this.place.dead) return
    const { peer } = this
    const ports = transfer.filter(item => item instanceof SimulatedPort)
    // Orders are nobody's any more. A clone would have other ports, and other objects for the memory of a ring.
    const isOrder = this.losesNothing || ports.length > 0
    const copy: unknown = isOrder ? data : structuredClone(data, { transfer: transfer as ArrayBuffer[] })
    for (const port of ports) port.travel()
    const bytes = getByteLength(copy)
    if (bytes > 0 && !this.losesNothing) this.#simulation.sentWith(peer.#comingBytes)
    if (peer.#over || peer.place.dead) return
    peer.#coming.push({ data: copy, bytes, ports })
    peer.#comingBytes += bytes
    peer.#schedule(() => peer.#take())
  }

  /** The peer still gets all posted messages. This end may get some in flight, and then the end. */
  close(): void {
    this.place.ports.delete(this)
    if (this.#shut) return
    this.#shut = true
    this.fate.isOver = true
    this.#loseSome()
    this.#schedule(() => this.#end())
    this.peer.#hangUp()
  }

  /** Breaks the connection: messages in flight are lost from some point on. */
  cut(): void {
    this.fate.isOver = true
    this.#loseSome()
    this.peer.#loseSome()
    this.#hangUp()
    this.peer.#hangUp()
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  start(): void {}

  /** Returns this port as the `MessagePort` that the product expects. */
  get asPort(): MessagePort {
    return this as unknown as MessagePort
  }

  get isOver(): boolean {
    return this.#over
  }

  #hangUp(): void {
    if (this.#shut) return
    this.#shut = true
    // A port of Node that nobody reads closes with its peer, too.
    if (!this.#hasStarted) this.place.ports.delete(this)
    this.#schedule(() => this.#end())
  }

  #loseSome(): void {
    const { random } = this.#simulation
    if (this.losesNothing) return
    const kept = random.below(this.#coming.length + 1)
    for (const { bytes } of this.#coming.splice(kept)) this.#comingBytes -= bytes
  }

  /** Returns a time of arrival after all earlier messages. */
  #schedule(run: () => void): void {
    const { clock, random } = this.#simulation
    const delay = random.chance(0.1) ? random.below(40) : random.next() * 2
    this.#latest = Math.max(this.#latest, clock.now + delay)
    this.place.reads(this.#latest)
    this.#at(this.#latest, run)
  }

  #at(time: number, run: () => void): void {
    const { clock } = this.#simulation
    clock.at(
      time,
      () => {
        if (this.#over || this.place.dead) return
        clock.place = this.place
        if (!this.#hasStarted) return void this.#kept.push(run)
        if (this.place.stalledUntil <= clock.now) return run()
        this.#latest = Math.max(this.#latest, this.place.stalledUntil)
        this.#at(this.place.stalledUntil, run)
      },
      undefined,
      undefined,
      1 + this.#rank,
    )
  }

  #take(): void {
    const taken = this.takeNow()
    if (taken) this.emit('message', taken.message)
  }

  /** Takes the next message, if there is one. */
  takeNow(): { message: unknown } | undefined {
    const post = this.#coming.shift()
    if (!post) return undefined
    this.#comingBytes -= post.bytes
    this.#simulation.trace(() => `${this.peer.place.name} → ${this.place.name}: ${describe(post)}`)
    for (const port of post.ports) port.arrive(this.place)
    return { message: post.data }
  }

  /** Schedules the end after all posted messages, even if a listener is added later. */
  #end(): void {
    if (this.#coming.length > 0) return this.#at(Math.max(this.#latest, this.#simulation.clock.now), () => this.#end())
    this.#over = true
    this.place.ports.delete(this)
    this.#simulation.trace(() => `${this.place.name}: its link to ${this.peer.place.name} has ended`)
    this.emit('close')
  }
}

function getByteLength(data: unknown): number {
  if (data instanceof ArrayBuffer) return data.byteLength
  if (typeof data === 'string') return data.length
  return Array.isArray(data) ? data.reduce<number>((sum, item) => sum + getByteLength(item), 0) : 0
}

function describe({ data, bytes }: Post): string {
  const [id, message] = Array.isArray(data) ? (data as unknown[]) : []
  if (typeof id === 'number' && Object(message) === message) {
    const hidePorts = (_key: string, value: unknown): unknown => (value instanceof SimulatedPort ? 'a port' : value)
    return `of ${id}: ${JSON.stringify(data, hidePorts).slice(0, 160)}`
  }
  if (typeof data === 'number') return `has taken ${data}`
  if (typeof data === 'string') return data.slice(0, 160)
  const [first] = Array.isArray(data) ? (data as unknown[]) : [data]
  const view = first instanceof ArrayBuffer ? new Uint8Array(first) : undefined
  return `${bytes} bytes, kind ${view?.[0] ?? String(first)}`
}
