// Threads and message channels in virtual time, for the real host. A thread is a place with a program; transferred ports arrive a
// little later, or never.
import { EventEmitter } from 'node:events'
import { Place } from './place.js'
import { createPorts, type SimulatedPort } from './port.js'
import type { Simulation } from '../simulation.js'
import type { SupervisedWorld } from '../supervised-world.js'

/** The running simulation. */
let world: SupervisedWorld

export const inWorld = (supervisedWorld: SupervisedWorld): void => void (world = supervisedWorld)

export const getWorld = (): SupervisedWorld => world

/** Replaces the function that starts a worker of Node. */
export const spawnThread: SupervisedWorld['spawn'] = (kind, data) => world.spawn(kind, data)

/** A program in a place. Time stops until its promise resolves. It receives the host's messages by `message`. */
export type Program = (thread: SimulatedThread, data: never) => void | Promise<void>

/** What one thread sends to another: it arrives in order, and waits while the receiver is stalled. */
class Direction {
  readonly #simulation: Simulation
  readonly #getReceiver: () => Place
  readonly #phase: number
  readonly #waiting: (() => unknown)[] = []
  #latest = 0

  constructor(simulation: Simulation, rank: number, getReceiver: () => Place) {
    this.#simulation = simulation
    this.#getReceiver = getReceiver
    this.#phase = 1 + rank
  }

  add(run: () => unknown, late = 0): void {
    const { clock, random } = this.#simulation
    this.#latest = Math.max(this.#latest, clock.now + late + random.next() * 3)
    this.#waiting.push(run)
    this.#takeAt(this.#latest)
  }

  #takeAt(time: number): void {
    const { clock } = this.#simulation
    const take = (): unknown => {
      const receiver = this.#getReceiver()
      if (receiver.stalledUntil > clock.now) return this.#takeAt(receiver.stalledUntil)
      clock.place = receiver
      return this.#waiting.shift()!()
    }
    clock.at(time, take, undefined, undefined, this.#phase)
  }
}

export class SimulatedThread extends EventEmitter {
  readonly place: Place
  /** The thread's own side. */
  readonly control: EventEmitter = new EventEmitter()
  /** The host has ordered it to end. */
  isOrdered = false
  /** The host knows that it has been ready. */
  wasReady = false
  readonly #world = world
  readonly #toThread: Direction
  readonly #toHost: Direction
  hasEnded = false

  constructor(name: string, program: Program, data: object) {
    super()
    this.place = new Place(name)
    this.#world.threads.push(this)
    const { simulation, hostPlace } = this.#world
    const rank = simulation.random.next() * 0.9
    this.#toThread = new Direction(simulation, rank, () => this.receiver)
    this.#toHost = new Direction(simulation, rank, () => hostPlace)
    const start = (): unknown => {
      simulation.clock.place = this.place
      return this.place.dead ? undefined : program(this, data as never)
    }
    this.#toThread.add(start, simulation.random.below(30))
  }

  postMessage(message: unknown, transfer: readonly SimulatedPort[] = []): void {
    this.isOrdered ||= getType(message).startsWith('stop ')
    // That of the members of a thread: it loses nothing that was sent before the end of its thread.
    const { port: control } = message as { port?: SimulatedPort }
    if (control) control.losesNothing = control.peer.losesNothing = true
    for (const port of transfer) port.travel()
    this.#toThread.add(() => {
      for (const port of transfer) port.arrive(this.receiver)
      this.#world.simulation.trace(() => `the host → ${this.receiver.name}: ${getType(message)}`)
      if (!this.receiver.dead) this.control.emit('message', message)
    })
  }

  /** The place that takes messages of the host. */
  protected get receiver(): Place {
    return this.place
  }

  get performance(): { eventLoopUtilization(): { active: number } } {
    const { clock } = this.#world.simulation
    // Node does not tell a thread that has no processor from one that waits within its code, of which a tenth counts (docs/adr/0046-how-something-ends.md).
    return { eventLoopUtilization: () => ({ active: this.place.getComputed(clock.now) }) }
  }

  /** That of all threads of the host: a core is free whenever one computes. */
  readProcessCpuMs(): number {
    const { simulation, hostThreads } = this.#world
    return hostThreads.reduce((sum, place) => sum + place.getComputed(simulation.clock.now), 0)
  }

  /** Posts a message to the host. */
  report(message: unknown): void {
    if (!this.place.dead && !this.receiver.dead) this.send(message)
  }

  protected send(message: unknown): void {
    this.#toHost.add(() => {
      this.#world.simulation.trace(() => `${this.place.name} → the host: ${getType(message)}`)
      this.wasReady ||= getType(message) === 'state ready'
      this.emit('message', message)
    })
  }

  exit(code: number): void {
    this.place.die()
    this.ended(code)
  }

  /** Ends by an error that nothing has caught. */
  fail(error: Error): void {
    this.#toHost.add(() => void this.emit('error', error))
    this.exit(1)
  }

  protected ended(code: number): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.#world.simulation.trace(() => `${this.place.name} has ended with ${code}`)
    const { random } = this.#world.simulation
    // It takes the system long to end it, or its launcher.
    const late = random.chance(0.2) ? random.below(4000) : random.few(60)
    this.#toHost.add(() => void this.emit('exit', code), late)
  }

  async terminate(): Promise<void> {
    this.isOrdered = true
    this.#world.harms(this.place)
    this.exit(1)
  }

  ref(): void {}

  unref(): void {}
}

/** Replaces Node's function: takes a message that has arrived. */
export const receiveMessageOnPort = (port: SimulatedPort): { message: unknown } | undefined => port.takeNow()

/** Replaces Node's `MessageChannel`. */
export class SimulatedChannel {
  readonly port1: SimulatedPort
  readonly port2: SimulatedPort

  constructor() {
    ;[this.port1, this.port2] = createPorts(world.simulation, world.hostPlace, world.hostPlace)
  }
}

const getType = (message: unknown): string => {
  const { type, state, offer } = message as { type: string; state?: string; offer?: { label?: string } }
  return `${type} ${state ?? offer?.label ?? ''}`
}

/** A script in a shared thread, as the host sees it. */
export interface SharedScript {
  readonly label: string
  /** It lives, within the place of its thread. */
  readonly place: Place
  readonly thread: ScriptThread
  readonly member: EventEmitter
  isOrdered: boolean
  wasReady: boolean
  readonly hasEnded: boolean
}

/** A thread of scripts, each of which dies with it. */
export class ScriptThread extends SimulatedThread {
  readonly scripts: SharedScript[] = []

  override exit(code: number): void {
    for (const { place } of this.scripts) place.die()
    super.exit(code)
  }
}
