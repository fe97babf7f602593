// A bus in virtual time: one core, its frontends and their gates, each in its own place, which can die and restart with new links.
// The code in them is the real one: core, gate, client and links.
import type { SessionKey } from '@sallyport/protocol/internal/contract'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { openLink } from '@sallyport/protocol/internal/link'
import type { MessagePort } from 'node:worker_threads'
import { pino } from 'pino'
import type { App } from '../../src/api/app.js'
import type { CoreReport } from '../../src/contract/host-core.js'
import { createCore, type Core } from '../../src/core-thread/core.js'
import type { Epoch, Step } from './model/ask.js'
import type { FlowOptions } from '../../../frontend/src/client/client-queue.js'
import { BOUNDS } from './bounds.js'
import { COMMANDS, createDefinition } from './commands.js'
import { callExposed } from './exposed.js'
import { Frontend } from './frontend.js'
import { Gates } from './gates.js'
import { Model } from './model/model.js'
import { Place } from './virtual/place.js'
import { createEnds, createTriangle, getSimulatedPorts } from './virtual/port.js'
import type { Simulation } from './simulation.js'
import type { Stream } from './model/streams.js'

const log = pino({ level: 'silent' })

export class World {
  readonly simulation: Simulation
  readonly model: Model
  readonly isolated: boolean
  readonly streams = new Map<number, Stream>()
  readonly frontends: Frontend[] = []
  /** Frontends that have died. */
  readonly zombies: Frontend[] = []
  readonly leavers: Frontend[] = []
  /** No more faults are injected. */
  healed = false
  /** The end of the bus has begun. */
  closes = false
  /** When something has last ended that was in use. */
  harmedAt = -Infinity
  /** True if no call can be served any more. */
  readonly hasFailed: boolean = false
  core!: Core
  corePlace!: Place
  coreNumber = 0

  /** Number of the running core; -1 if core has failed for good. */
  get runningCore(): number {
    return this.hasFailed ? -1 : this.coreNumber
  }

  /** Code takes the time for which it computes. */
  readonly computes: boolean = true

  /** How a frontend limits its calls. */
  createFlow(_label: string): FlowOptions {
    const { random } = this.simulation
    return random.chance(0.3)
      ? { maxInFlight: 1 + random.few(BOUNDS.inFlight), overflow: random.pick(['wait', 'wait', 'reject']) }
      : {}
  }

  /** Lets core emit an event to all listeners. */
  shout = (): void => {}
  /** Lets the running core call a frontend. */
  callFrontend = async (_label: string, _step?: Step): Promise<void> => {}
  /** Number of these events from this core. */
  shouted = 0
  readonly #gates: Gates = new Gates(this)
  readonly #held: unknown[] = []
  readonly #cores: Core[] = []
  /** What runs have emitted, by their tokens. */
  readonly runEvents = new Map<number, { sent: number; received: number }>()
  /** Of the frontends of links that core has not reported to have closed. */
  readonly #places = new Map<number, Place>()
  readonly #epochs: Epoch[] = []

  constructor(simulation: Simulation) {
    this.simulation = simulation
    this.model = new Model(simulation)
    this.isolated = simulation.random.chance(0.5)
  }

  async startCore(): Promise<void> {
    const number = ++this.coreNumber
    const place = new Place(`core ${number}`)
    const permissions = COMMANDS.map(name => `allow-${name}`)
    this.core = await createCore(
      createDefinition(this, number, place),
      {
        pattern: this.isolated ? 'isolation' : 'brownfield',
        acl: {
          capabilities: [{ value: [{ identifier: 'all', windows: ['*'], permissions }], from: 'the simulation' }],
          permissionFiles: [],
          manifests: undefined,
          platform: 'linux',
        },
        appInfo: {},
        codec: 'json',
        plugins: {},
        logLevel: 'silent',
      },
      () => log,
      report => this.#reported(report, place),
    )
    this.corePlace = place
    this.#cores.push(this.core)
    this.simulation.trace(() => `core ${number} has started`)
  }

  /** Connects a frontend to core, past its gate in the isolation pattern. */
  link(frontend: Frontend): void {
    if (frontend.place.dead || this.corePlace.dead || frontend.closing) return
    if (frontend.epoch) frontend.epoch.ended = true
    const isolated = this.isolated && !frontend.isHost
    const epoch: Epoch = {
      number: this.#epochs.length + 1,
      core: this.coreNumber,
      isolated,
      ended: false,
      sent: 0,
      bytes: 0,
      running: 0,
      received: -1,
      left: false,
    }
    this.#epochs.push(epoch)
    this.#places.set(epoch.number, frontend.place)
    this.simulation.trace(() => `${frontend.place.name} gets link ${epoch.number} to core ${epoch.core}`)
    const places = { core: this.corePlace, frontend: frontend.place }
    const gate = isolated ? this.#gates.start(frontend.label) : undefined
    const triangle = gate && createTriangle(this.simulation, { ...places, gate: gate.place })
    const ends = triangle ?? createEnds(this.simulation, places)
    frontend.ports = getSimulatedPorts(ends.frontend)
    let sessionKey: SessionKey | undefined
    const keyPort = { postMessage: (key: SessionKey) => (sessionKey = structuredClone(key)), close() {} }
    this.core.attach({
      ...(frontend.isHost
        ? { frontend: undefined, label: undefined }
        : { frontend: epoch.number, label: frontend.label }),
      codec: frontend.codec,
      endpoint: ends.core,
      id: epoch.number,
      begun: 'now',
      ...(isolated && { keyPort: keyPort as unknown as MessagePort }),
    })
    if (gate && triangle) this.#gates.link(gate, triangle.gate, sessionKey!)
    frontend.takes(openLink(ends.frontend, true), epoch)
  }

  crashCore(): void {
    if (this.healed || this.corePlace.dead) return
    this.simulation.trace(() => `${this.corePlace.name} dies`)
    this.corePlace.die()
    for (const epoch of this.#epochs) {
      if (epoch.core !== this.coreNumber) continue
      epoch.ended = epoch.harmed = true
      epoch.left = false
    }
    const { random, clock } = this.simulation
    clock.after(random.below(120), async () => {
      await this.startCore()
      for (const frontend of this.frontends) this.link(frontend)
    })
  }

  crashGate(label: string): void {
    const place = this.#gates.getPlace(label)
    const frontend = this.frontends.find(each => each.label === label)!
    if (this.healed || !place || place.dead) return
    this.simulation.trace(() => `${place.name} dies`)
    place.die()
    // What has left can have messages in it.
    for (const { label: own, epoch } of [...this.frontends, ...this.leavers])
      if (own === label && epoch) epoch.ended = epoch.harmed = true
    this.#linkLater(frontend)
  }

  crashFrontend(frontend: Frontend): void {
    if (this.healed || frontend.place.dead || frontend.closing) return
    this.simulation.trace(() => `${frontend.place.name} dies`)
    frontend.die()
    this.#replace(frontend)
  }

  /** A frontend ends in order. */
  leave(frontend: Frontend): void {
    if (!this.healed && frontend.isAlive) this.endSoon([frontend], frontend.place, () => this.ends(frontend))
  }

  /** Answers are on their way when frontends end. */
  protected endSoon(frontends: readonly Frontend[], place: Place, end: () => void): void {
    const { random, clock } = this.simulation
    for (const { label, isHost } of frontends)
      for (let calls = isHost ? 0 : random.below(8); calls > 0; calls--) this.callAbout(label)
    clock.at(clock.now + random.few(20), end, undefined, place)
  }

  /** Core calls a frontend right before or after it ends. */
  protected callAbout(label: string): void {
    const { clock, random } = this.simulation
    const call = (): void => void (this.corePlace.dead || this.callFrontend(label))
    for (const delay of [0, random.next() * 8]) {
      if (random.chance(0.5)) clock.at(clock.now + delay, call, undefined, this.corePlace)
    }
  }

  /** Closes the client of a frontend, which then ends. Earlier messages still arrive. */
  protected ends(frontend: Frontend): void {
    if (!frontend.isAlive) return
    this.simulation.trace(() => `${frontend.place.name} leaves`)
    this.#closeInOrder(frontend)
    this.leavers.push(frontend)
    this.#replace(frontend)
  }

  #closeInOrder(frontend: Frontend): void {
    // Messages that wait in a gate can be lost.
    frontend.epoch!.left = frontend.isLinked && !frontend.epoch!.isolated
    frontend.epoch!.ended = true
    frontend.close()
  }

  /** Breaks one direction of the latest link, or both if they share a port. */
  cutLink(frontend: Frontend): void {
    const port = frontend.ports?.[this.simulation.random.chance(0.5) ? 'out' : 'in']
    if (this.healed || !port || !('cut' in port) || port.isOver) return
    this.simulation.trace(() => `the link of ${frontend.place.name} to ${port.peer.place.name} breaks`)
    frontend.epoch!.ended = frontend.epoch!.harmed = true
    frontend.epoch!.left = false
    port.cut()
  }

  /** The client knows that its link has ended. */
  lost(frontend: Frontend): void {
    if (!frontend.closing) this.#linkLater(frontend)
  }

  stall(place: Place): void {
    if (this.healed) return
    const { random, clock } = this.simulation
    const until = clock.now + random.next() * (random.chance(0.3) ? 3000 : 150)
    const computes = random.chance(0.5)
    place.goesOn(clock.now, random.chance(0.5))
    if (computes) place.compute(clock.now, until)
    else place.stall(clock.now, until)
    this.simulation.trace(() => `${place.name} ${computes ? 'computes' : 'waits for a core'} until ${until.toFixed(3)}`)
  }

  get places(): Place[] {
    return [this.corePlace, ...this.#gates.places, ...this.frontends.map(({ place }) => place)]
  }

  /** Returns the number of the link over which core calls this frontend. */
  getEpoch(label: string): Epoch | undefined {
    return this.frontends.find(frontend => frontend.label === label)?.epoch
  }

  callExposed(app: App, core: number, label: string, step?: Step): Promise<void> {
    return callExposed(this, app, core, label, step)
  }

  /** Keeps channels alive: garbage collection would end them at a time that no seed decides. */
  hold(value: unknown): void {
    this.#held.push(value)
  }

  closeFrontends(): void {
    for (const frontend of this.frontends) {
      if (frontend.isAlive) this.endSoon([frontend], frontend.place, () => this.#closeInOrder(frontend))
      else frontend.close()
    }
  }

  close(): void {
    this.closes = true
    for (const core of this.#cores) void core.close()
  }

  #replace(frontend: Frontend): void {
    const { random, clock } = this.simulation
    clock.after(random.below(120), () => {
      const next = frontend.next()
      this.frontends[this.frontends.indexOf(frontend)] = next
      this.link(next)
    })
  }

  #linkLater(frontend: Frontend): void {
    const { random, clock } = this.simulation
    const { epoch } = frontend
    clock.after(random.below(60), () => {
      if (frontend.epoch === epoch) this.link(frontend)
    })
  }

  #reported(report: CoreReport, place: Place): void {
    if (report.type === 'fault' && !place.dead) this.fault(place.name, report.error)
    if (report.type !== 'closed' || place.dead) return
    const { dead } = this.#places.get(report.id)!
    this.#places.delete(report.id)
    this.core.sessions.detach(report.id, dead ? { why: 'it died', error: undefined, ranCode: true } : undefined)
  }

  /** A call was told why a frontend has ended, or `undefined`. */
  toldWhy(_label: string, _why: string | undefined, _place: Place | undefined): void {}

  /** Everything has settled. */
  checkEnds(): void {}

  fault(where: string, { message }: BusError | { message: string }): void {
    this.simulation.fault(`${where} finds fault with an honest frontend: ${message}`)
  }
}
