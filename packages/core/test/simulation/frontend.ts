// One run of a simulated frontend: its client, its listeners, and its link.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { EngineOptions, ScriptRunner } from '@sallyport/protocol/internal/contract'
import type { Link } from '@sallyport/protocol/internal/wire'
import { Client } from '../../../frontend/src/client/client.js'
import { findCurrentClient } from '../../../frontend/src/client/current-client.js'
import type { FlowOptions } from '../../../frontend/src/client/client-queue.js'
import type { Epoch } from './model/ask.js'
import { loadScript } from '../../../quickjs/src/index.js'
import { exposeFunctions } from './exposed.js'
import { createRun, type RunArguments } from './runs.js'
import { Place } from './virtual/place.js'
import type { LinkEnds } from './virtual/port.js'
import { Script } from './virtual/script.js'
import { Ticks } from './model/ticks.js'
import { watchLink } from './virtual/watch-link.js'
import type { World } from './world.js'

/** The label of the frontend that is a script in a VM. */
const SCRIPT = 'third'
const MEMORY_MB = 32

export class Frontend {
  readonly label: string
  readonly place: Place
  /** Where it runs: a script can share it. */
  readonly thread: Place
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
  /** Says whether the thread runs its code now, if it shares the thread. */
  setBusy = (_isBusy: boolean): void => {}
  readonly #world: World
  readonly #run: number
  #script: Script | undefined

  constructor(
    world: World,
    label: string,
    codec: CodecName,
    run = 1,
    place = new Place(`${label} ${run}`),
    thread: Place = place,
  ) {
    this.#world = world
    this.thread = thread
    this.#run = run
    this.label = label
    this.codec = codec
    this.flow = world.createFlow(label)
    this.isHost = label === 'host'
    this.place = place
    this.ticks = new Ticks(this, world.simulation)
  }

  /** It gets a link. Returns the link as its client has it. */
  gets(rawLink: Link, epoch: Epoch): Link {
    this.epoch = epoch
    this.knowsEnd = false
    const { simulation } = this.#world
    return watchLink(rawLink, simulation, fault => {
      epoch.ended = true
      if (this.epoch === epoch) this.knowsEnd = true
      if (fault) simulation.fault(`${this.place.name} finds fault with its link: ${fault.message}`)
      if (this.epoch === epoch) this.#world.lost(this)
    })
  }

  /** It gets a link, and creates or reconnects its client: what the start of a thread does under the real host. */
  takes(rawLink: Link, epoch: Epoch): void {
    const link = this.gets(rawLink, epoch)
    if (this.#script) return this.#script.reconnect(link)
    if (this.client) return void Client.reconnect(this.client, link)
    const options = { label: this.label, codec: this.codec, reconnects: true, ...this.flow }
    if (this.label === SCRIPT) this.#script = new Script(link, options)
    this.begin(this.#script?.client ?? new Client(link, options))
  }

  /** Its code begins. @param run - exposes the function of `bus.run` */
  begin(client: Client, run?: (body: (args: RunArguments) => unknown) => void): void {
    this.client = client
    void client.closed.then(() => (this.isClosed = true))
    if (run) return run(createRun(this.#world, this))
    exposeFunctions(this.#world, this)
    client.expose({ 'bus.run': createRun(this.#world, this) })
    this.ticks.listen()
  }

  /** Its code computes, and so takes the time of all code of its thread. */
  readonly compute = async (ms: number): Promise<void> => {
    const { clock } = this.#world.simulation
    this.thread.compute(clock.now, clock.now + ms)
    this.setBusy(true)
    await clock.sleep(ms, this.thread)
    this.setBusy(false)
  }

  /** What the real start of a thread loads: this code, or the runner of scripts with this code. */
  enterSandbox(): object {
    const engine = { memory: MEMORY_MB, time: 1000, frontend: this } as EngineOptions
    const runner: ScriptRunner = {
      loadScript: (url, text, content, options) => loadScript(url, text, content, { ...options, engine }),
    }
    return {
      readableDirectory: undefined,
      loadText: async () => this.begin(findCurrentClient()!),
      runner: this.isScript ? runner : undefined,
    }
  }

  /** It stops: its client gives up what it has not sent. */
  stops(): void {
    this.closing = true
    if (!this.epoch) return
    this.epoch.closed = true
    // A client does not wait for its link.
    this.epoch.ended = true
  }

  get isScript(): boolean {
    return this.label === SCRIPT || this.thread !== this.place
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
    if (this.epoch) this.epoch.ended = this.epoch.harmed = true
    this.place.die()
    this.#world.zombies.push(this)
  }

  close(): void {
    this.stops()
    void this.client.close()
  }

  next(place?: Place, thread?: Place): Frontend {
    return new Frontend(this.#world, this.label, this.codec, this.#run + 1, place, thread)
  }
}
