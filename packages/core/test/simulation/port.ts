// A message port in virtual time, under the real link: it delays what is posted, keeps its order, and can be cut at any
// moment, with what is under way lost from some point on. Its peer may be stalled, and then takes nothing for a while.
import type { LinkEndpoint } from '@sallyport/protocol'
import { EventEmitter } from 'node:events'
import type { MessagePort } from 'node:worker_threads'
import { Place } from './place.js'
import type { Simulation } from './simulation.js'

/** Both ends of a link between two places. */
export function createPorts(simulation: Simulation, one: Place, other: Place): [SimulatedPort, SimulatedPort] {
  const [near, far] = [new SimulatedPort(simulation, one), new SimulatedPort(simulation, other)]
  near.peer = far
  far.peer = near
  far.fate = near.fate
  return [near, far]
}

export const endOf = (port: SimulatedPort): LinkEndpoint => ({ port: port.asPort, poll: false })

interface Post {
  readonly data: unknown
  readonly bytes: number
}

export class SimulatedPort extends EventEmitter {
  peer!: SimulatedPort
  place: Place
  /** Of both ends. */
  fate = { isOver: false }
  readonly #simulation: Simulation
  /** What is on its way here, and when it comes. */
  #coming: Post[] = []
  #comingBytes = 0
  #latest = 0
  readonly #kept: (() => void)[] = []
  /** Nothing more is sent from here. */
  #shut = false
  /** It has told of its end, or its thread is gone. */
  #over = false

  constructor(simulation: Simulation, place: Place) {
    super()
    this.#simulation = simulation
    this.place = place
    place.ports.add(this)
    // As Node's, it keeps what comes until somebody listens.
    this.on('newListener', event => {
      if (event !== 'message' || this.#kept.length === 0) return
      for (const run of this.#kept.splice(0)) this.#at(this.#simulation.clock.now, run)
    })
  }

  /** Handed over to another thread: from now on it is nobody's, until it arrives. */
  travel(): void {
    this.place.ports.delete(this)
    this.place = new Place(`${this.place.name}, on its way`)
  }

  arrive(place: Place): void {
    this.place = place
    if (place.dead) this.cut()
    else place.ports.add(this)
  }

  /** As Node's; it is checked that the sender keeps to its credit. */
  postMessage(data: unknown, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#shut || this.place.dead) return
    const { peer } = this
    const copy = structuredClone(data, { transfer: [...transfer] })
    const bytes = bytesOf(copy)
    if (bytes > 0) this.#simulation.sentWith(peer.#comingBytes)
    if (peer.#over || peer.place.dead) return
    peer.#coming.push({ data: copy, bytes })
    peer.#comingBytes += bytes
    peer.#schedule(() => peer.#take())
  }

  /** The peer still gets what was posted; here some of what is under way may come, and then the end. */
  close(): void {
    this.place.ports.delete(this)
    if (this.#shut) return
    this.#shut = true
    this.fate.isOver = true
    this.#loseSome()
    this.#schedule(() => this.#end())
    this.peer.#hangUp()
  }

  /** The connection breaks, or this end's thread does: from some point on, what is under way is lost. */
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

  /** Where the product takes a `MessagePort`. */
  get asPort(): MessagePort {
    return this as unknown as MessagePort
  }

  get isOver(): boolean {
    return this.#over
  }

  #hangUp(): void {
    if (this.#shut) return
    this.#shut = true
    this.#schedule(() => this.#end())
  }

  #loseSome(): void {
    const { random } = this.#simulation
    const kept = random.below(this.#coming.length + 1)
    for (const { bytes } of this.#coming.splice(kept)) this.#comingBytes -= bytes
  }

  /** Later than all that was posted before. */
  #schedule(run: () => void): void {
    const { clock, random } = this.#simulation
    const delay = random.chance(0.1) ? random.below(40) : random.next() * 2
    this.#latest = Math.max(this.#latest, clock.now + delay)
    this.#at(this.#latest, run)
  }

  #at(time: number, run: () => void): void {
    const { clock } = this.#simulation
    clock.at(time, () => {
      if (this.#over || this.place.dead) return
      if (this.listenerCount('message') === 0) return void this.#kept.push(run)
      if (this.place.stalledUntil <= clock.now) return run()
      this.#latest = Math.max(this.#latest, this.place.stalledUntil)
      this.#at(this.place.stalledUntil, run)
    })
  }

  #take(): void {
    const post = this.#coming.shift()
    if (!post) return
    this.#comingBytes -= post.bytes
    this.#simulation.trace(() => `${this.peer.place.name} → ${this.place.name}: ${describe(post)}`)
    this.emit('message', post.data)
  }

  /** What was posted before comes first, whenever it is listened to. */
  #end(): void {
    if (this.#coming.length > 0) return this.#at(Math.max(this.#latest, this.#simulation.clock.now), () => this.#end())
    this.#over = true
    this.place.ports.delete(this)
    this.#simulation.trace(() => `${this.place.name}: its link to ${this.peer.place.name} has ended`)
    this.emit('close')
  }
}

function bytesOf(data: unknown): number {
  if (data instanceof ArrayBuffer) return data.byteLength
  return Array.isArray(data) ? data.reduce<number>((sum, item) => sum + bytesOf(item), 0) : 0
}

function describe({ data, bytes }: Post): string {
  if (typeof data === 'number') return `has taken ${data}`
  const [first] = Array.isArray(data) ? (data as unknown[]) : [data]
  const view = first instanceof ArrayBuffer ? new Uint8Array(first) : undefined
  if (view?.[0] === 1) return Buffer.from(view.subarray(1)).toString().slice(0, 160)
  return `${bytes} bytes, kind ${view?.[0] ?? String(first)}`
}
