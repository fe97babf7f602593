// Threads and message channels in virtual time, for the real host. A thread is a place with a program; transferred ports arrive a
// little later, or never.
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { Place } from './place.js'
import { createPorts, type SimulatedPort } from './port.js'
import type { SupervisedWorld } from '../supervised-world.js'

/** The running simulation. */
let world: SupervisedWorld

export const inWorld = (supervisedWorld: SupervisedWorld): void => void (world = supervisedWorld)

/** Replaces the function that starts a worker of Node. */
export const spawnThread: SupervisedWorld['spawn'] = (kind, data) => world.spawn(kind, data)

/** A program in a place. Time stops until its promise resolves. It receives the host's messages by `message`. */
export type Program = (thread: SimulatedThread, data: never) => void | Promise<void>

export class SimulatedThread extends EventEmitter {
  readonly stdout: PassThrough = new PassThrough()
  readonly stderr: PassThrough = new PassThrough()
  readonly place: Place
  /** The thread's own side. */
  readonly control: EventEmitter = new EventEmitter()
  readonly #world = world
  #toThread = 0
  readonly #rank: number
  #toHost = 0
  #hasExited = false

  constructor(name: string, program: Program, data: object) {
    super()
    this.place = new Place(name)
    this.#world.threads.push(this)
    const { random } = this.#world.simulation
    this.#rank = random.next() * 0.9
    this.#toThread = this.#later(0, random.below(30), () => {
      this.#world.simulation.clock.place = this.place
      return program(this, data as never)
    })
  }

  postMessage(message: unknown, transfer: readonly SimulatedPort[] = []): void {
    for (const port of transfer) port.travel()
    const deliver = (): void => {
      const { clock } = this.#world.simulation
      const { dead, stalledUntil, name } = this.receiver
      if (stalledUntil > clock.now) {
        this.#toThread = this.#later(this.#toThread, stalledUntil - clock.now, deliver)
        return
      }
      clock.place = this.receiver
      for (const port of transfer) port.arrive(this.receiver)
      this.#world.simulation.trace(() => `the host → ${name}: ${getType(message)}`)
      if (!dead) this.control.emit('message', message)
    }
    this.#toThread = this.#later(this.#toThread, this.#delay(), deliver)
  }

  /** The place that takes messages of the host. */
  protected get receiver(): Place {
    return this.place
  }

  get performance(): { eventLoopUtilization(): { active: number } } {
    const { clock } = this.#world.simulation
    return { eventLoopUtilization: () => ({ active: this.place.getComputed(clock.now) }) }
  }

  /** A core is free whenever it computes. */
  readProcessCpuMs(): number {
    return this.performance.eventLoopUtilization().active
  }

  /** Posts a message to the host. */
  report(message: unknown): void {
    if (!this.place.dead) this.send(message)
  }

  protected send(message: unknown): void {
    this.#toHost = this.#toTheHost(() => {
      this.#world.simulation.trace(() => `${this.place.name} → the host: ${getType(message)}`)
      this.emit('message', message)
    })
  }

  exit(code: number): void {
    if (this.#hasExited) return
    this.#hasExited = true
    this.#world.simulation.trace(() => `${this.place.name} has ended with ${code}`)
    this.place.die()
    const { random } = this.#world.simulation
    // It takes the system long to end it, or its launcher.
    const late = random.chance(0.2) ? random.below(4000) : random.few(60)
    this.#toHost = this.#toTheHost(() => void this.emit('exit', code), late)
  }

  async terminate(): Promise<void> {
    this.exit(1)
  }

  ref(): void {}

  unref(): void {}

  /** The host takes it once it is not stalled. */
  #toTheHost(run: () => void, late = 0): number {
    const { clock } = this.#world.simulation
    const { hostPlace } = this.#world
    const take = (): void => {
      const { stalledUntil } = hostPlace
      if (stalledUntil > clock.now) {
        this.#toHost = this.#later(this.#toHost, stalledUntil - clock.now, take)
        return
      }
      clock.place = hostPlace
      run()
    }
    return this.#later(this.#toHost, late + this.#delay(), take)
  }

  #delay(): number {
    return this.#world.simulation.random.next() * 3
  }

  #later(latest: number, delay: number, run: () => unknown): number {
    const { clock } = this.#world.simulation
    const at = Math.max(latest, clock.now + delay)
    clock.at(at, run, undefined, undefined, 1 + this.#rank)
    return at
  }
}

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
