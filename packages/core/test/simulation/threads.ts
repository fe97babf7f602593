// Threads and message channels in virtual time, for the real host: what it starts is a place with a program in it, and what it
// hands over arrives a little later, or not at all.
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { Place } from './place.js'
import { createPorts, type SimulatedPort } from './port.js'
import type { SupervisedWorld } from './supervised-world.js'

/** The one that runs. */
let world: SupervisedWorld

export const inWorld = (one: SupervisedWorld): void => void (world = one)

/** In the place of what starts a worker of Node's. */
export const spawnThread: SupervisedWorld['spawn'] = (kind, data) => world.spawn(kind, data)

/** What runs in a place. Time stands still until what it gives resolves. It hears `message`s of the host. */
export type Program = (thread: SimulatedThread, data: never) => void | Promise<void>

export class SimulatedThread extends EventEmitter {
  readonly stdout: PassThrough = new PassThrough()
  readonly stderr: PassThrough = new PassThrough()
  readonly place: Place
  /** The inner side. */
  readonly control: EventEmitter = new EventEmitter()
  readonly #world = world
  #toThread = 0
  #toHost = 0
  #hasExited = false

  constructor(name: string, program: Program, data: object) {
    super()
    this.place = new Place(name)
    this.#world.threads.push(this)
    const { random } = this.#world.simulation
    this.#toThread = this.#later(0, random.below(30), () => program(this, data as never))
  }

  postMessage(message: unknown, transfer: readonly SimulatedPort[] = []): void {
    for (const port of transfer) port.travel()
    this.#toThread = this.#later(this.#toThread, this.#delay(), () => {
      for (const port of transfer) port.arrive(this.place)
      this.#world.simulation.trace(() => `the host → ${this.place.name}: ${typeOf(message)}`)
      if (!this.place.dead) this.control.emit('message', message)
    })
  }

  /** To the host. */
  tell(message: unknown): void {
    if (this.place.dead) return
    this.#toHost = this.#later(this.#toHost, this.#delay(), () => {
      this.#world.simulation.trace(() => `${this.place.name} → the host: ${typeOf(message)}`)
      this.emit('message', message)
    })
  }

  exit(code: number): void {
    if (this.#hasExited) return
    this.#hasExited = true
    this.#world.simulation.trace(() => `${this.place.name} has ended with ${code}`)
    this.place.die()
    this.#toHost = this.#later(this.#toHost, this.#delay(), () => void this.emit('exit', code))
  }

  async terminate(): Promise<void> {
    this.exit(1)
  }

  unref(): void {}

  #delay(): number {
    return this.#world.simulation.random.next() * 3
  }

  #later(latest: number, delay: number, run: () => unknown): number {
    const { clock } = this.#world.simulation
    const at = Math.max(latest, clock.now + delay)
    clock.at(at, run)
    return at
  }
}

/** In the place of Node's. */
export class SimulatedChannel {
  readonly port1: SimulatedPort
  readonly port2: SimulatedPort

  constructor() {
    ;[this.port1, this.port2] = createPorts(world.simulation, world.hostPlace, world.hostPlace)
  }
}

const typeOf = (message: unknown): string => {
  const { type, state, attachment } = message as { type: string; state?: string; attachment?: { label?: string } }
  return `${type} ${state ?? attachment?.label ?? ''}`
}
