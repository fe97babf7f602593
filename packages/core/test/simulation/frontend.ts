// One run of a simulated frontend: its client, its listeners, and its link.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { Link } from '@sallyport/protocol/internal/wire'
import { Client } from '../../../frontend/src/client/client.js'
import type { FlowOptions } from '../../../frontend/src/client/client-queue.js'
import type { Epoch } from './model/ask.js'
import { BOUNDS } from './bounds.js'
import { exposeFunctions } from './exposed.js'
import { exposeRun } from './runs.js'
import { Place } from './virtual/place.js'
import type { LinkEnds } from './virtual/port.js'
import { Script } from './virtual/script.js'
import { Ticks } from './model/ticks.js'
import { watchLink } from './virtual/watch-link.js'
import type { World } from './world.js'

/** The label of the frontend that is a script in a VM. */
const SCRIPT = 'third'

export class Frontend {
  readonly label: string
  readonly place: Place
  readonly codec: CodecName
  readonly isHost: boolean
  readonly flow: FlowOptions
  client!: Client
  /** The latest link, which can have ended. */
  epoch: Epoch | undefined
  /** The client knows that the link has ended. */
  knowsEnd = false
  /** This frontend's ports of the link. */
  ports: LinkEnds | undefined
  closing = false
  isClosed = false
  /** Number of calls so far that never end without their signal. */
  endless = 0
  /** Messages sent so far. */
  order = 0
  readonly ticks: Ticks
  readonly #world: World
  readonly #run: number
  #script: Script | undefined

  constructor(world: World, label: string, codec: CodecName, run = 1, place = new Place(`${label} ${run}`)) {
    this.#world = world
    this.#run = run
    this.label = label
    this.codec = codec
    const { random } = world.simulation
    this.flow = random.chance(0.3)
      ? { maxInFlight: 1 + random.few(BOUNDS.inFlight), overflow: random.pick(['wait', 'wait', 'reject']) }
      : {}
    this.isHost = label === 'host'
    this.place = place
    this.ticks = new Ticks(this, world.simulation)
  }

  takes(rawLink: Link, epoch: Epoch): void {
    this.epoch = epoch
    this.knowsEnd = false
    const { simulation } = this.#world
    const link = watchLink(rawLink, simulation, fault => {
      epoch.ended = true
      if (this.epoch === epoch) this.knowsEnd = true
      if (fault) simulation.fault(`${this.place.name} finds fault with its link: ${fault.message}`)
      if (this.epoch === epoch) this.#world.lost(this)
    })
    if (this.#script) return this.#script.reconnect(link)
    if (this.client) return void Client.reconnect(this.client, link)
    const options = { label: this.label, codec: this.codec, reconnects: true, ...this.flow }
    if (this.label === SCRIPT) this.#script = new Script(link, options)
    this.client = this.#script?.client ?? new Client(link, options)
    exposeFunctions(this.#world, this)
    exposeRun(this.#world, this)
    this.ticks.listen()
  }

  /** True if its link works. */
  get isLinked(): boolean {
    return this.epoch !== undefined && !this.epoch.ended
  }

  /** True if it runs, and has had a link. */
  get isAlive(): boolean {
    return !this.place.dead && !this.closing && this.client !== undefined
  }

  die(): void {
    if (this.epoch) this.epoch.ended = true
    this.place.die()
    this.#world.zombies.push(this)
  }

  close(): void {
    this.closing = true
    if (this.epoch) {
      this.epoch.closed = true
      // The client of a script does not wait for the link of its script host.
      if (this.#script) this.epoch.ended = true
    }
    void this.client.close().then(() => (this.isClosed = true))
  }

  next(place?: Place): Frontend {
    return new Frontend(this.#world, this.label, this.codec, this.#run + 1, place)
  }
}
