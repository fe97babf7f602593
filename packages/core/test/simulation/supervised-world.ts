// The simulated bus under the real host: its supervisor starts and ends the threads, and gives frontends and gates their links,
// again after each crash.
import { endClient } from '@sallyport/frontend/internal'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { openLink, type LinkEndpoint } from '@sallyport/protocol/internal/link'
import { reportError } from '@sallyport/protocol/internal/errors'
import type { Link } from '@sallyport/protocol/internal/wire'
import { pino } from 'pino'
import type { Host } from '../../src/host/host.js'
import { LocalCore } from '../../src/host/local-core.js'
import { Frontends } from '../../src/host/frontends/frontends.js'
import { OpenFrontends } from '../../src/host/frontends/open-frontends.js'
import type { HostServices } from '../../src/host/frontends/types.js'
import type { FrontendConfig } from '../../src/host/options/config.js'
import type { SandboxConfig } from '../../src/host/sandboxes/kind/sandbox-config.js'
import { noneKind } from '../../src/host/sandboxes/none/none-kind.js'
import { ProcessPool } from '../../src/host/workers/pool.js'
import { resolveSupervision, type SupervisionConfig } from '../../src/host/supervision/policy.js'
import { createSupervisor } from '../../src/host/supervision/supervisor.js'
import { BusReporter } from '../../src/host/reporting/events.js'
import { GateThreads } from '../../src/host/frontends/gate-threads.js'
import { SharedThreads } from '../../src/host/workers/shared-threads.js'
import { ProcessSockets, type SocketOwner } from '../../src/shared/process-sockets.js'
import type { Epoch } from './model/ask.js'
import { Frontend } from './frontend.js'
import { hostOptions } from './host-options.js'
import { Place } from './virtual/place.js'
import { getSimulatedPorts, type LinkEnds, type SimulatedPort } from './virtual/port.js'
import { run } from './runs.js'
import { coreProgram, frontendProgram, gateProgram, processProgram } from './programs.js'
import type { Simulation } from './simulation.js'
import { SimulatedNet } from './virtual/socket.js'
import { SimulatedProcess } from './virtual/process.js'
import { SimulatedThread, inWorld } from './virtual/threads.js'
import { World } from './world.js'

const log = pino({ level: 'silent' })
const MODULE = new URL('frontend:none')
/** Milliseconds. */
const RETRY = 50
/** Longer than the simulation of a close takes. */
const ENDLESS = 60_000
/** Until then, the host has ended a frontend that computes when it closes it. */
const SILENCE = 50

/** No frontend of the simulation violates the protocol. */
class ObservedFrontends extends OpenFrontends {
  readonly #world: SupervisedWorld

  constructor(world: SupervisedWorld) {
    super()
    this.#world = world
  }

  override protocolError(name: string, _link: number, error: Error): void {
    this.#world.fault(name, error)
  }
}

export class SupervisedWorld extends World {
  readonly threads: SimulatedThread[] = []
  readonly hostPlace: Place = new Place('the host')
  deaths = 0
  /** Core has failed for good. */
  override hasFailed = false
  readonly #cores = new Map<Place, number>()
  readonly net: SimulatedNet
  /** True for labels whose frontends are processes. */
  readonly #kinds = new Map<string, boolean>()
  readonly #processes = {
    ...{ kind: 'none', hasProcess: true, stopTimeout: 10_000 },
    spawn: ({ label }: { label: string }, { processes }: HostServices, owners: readonly SocketOwner[]) => {
      const start = (own: readonly SocketOwner[]) => (): never => this.#startProcess(undefined, own) as never
      const request = { key: '', reads: [], spares: this.#spares }
      if (this.#sharesProcesses) {
        const openBeside = (relay: unknown): never => this.#startScript(relay as SimulatedProcess, label) as never
        return processes.share({ ...request, maxScripts: 2, open: start([]) }, openBeside)
      }
      const spare = processes.take({ ...request, open: start(owners.length > 1 ? [] : owners) })
      spare?.postMessage({ type: 'start', label })
      return spare ?? this.#startProcess(label, owners)
    },
  } as unknown as SandboxConfig<'none'>
  /** Processes that are started ahead. */
  readonly #spares: number
  /** Code in processes is one of several scripts of a process. */
  readonly #sharesProcesses: boolean
  #host!: Host<LocalCore>
  readonly #supervision: { core: SupervisionConfig; frontend: SupervisionConfig }
  /** Links can be cut while both of their ends live. In a world without, no frontend may be blamed for a lost link. */
  readonly #cutsLinks: boolean
  #core!: LocalCore
  #frontends!: Frontends
  #links = 0
  #closing = false

  constructor(simulation: Simulation) {
    super(simulation)
    this.net = new SimulatedNet(simulation)
    const { random } = simulation
    const some = (intensity: number, share: number): SupervisionConfig =>
      resolveSupervision('permanent', {
        heartbeat: false,
        intensity: random.chance(share) ? intensity : 10_000,
        delay: { min: 10, max: 100 },
      })
    this.#supervision = { core: some(3, 0.05), frontend: some(1, 0.3) }
    this.#cutsLinks = random.chance(0.2)
    this.#spares = random.below(3)
    this.#sharesProcesses = random.chance(0.3)
  }

  override async startCore(): Promise<void> {
    inWorld(this)
    this.simulation.clock.place = this.hostPlace
    const { clock, random } = this.simulation
    const supervisor = createSupervisor({ now: () => clock.now, random: () => random.next() })
    const reporter = new BusReporter(log as never)
    reporter.on('failed', ({ label, error }) => this.#givenUp(label, error))
    reporter.on('fault', ({ label, error }) => this.#judged(label, error))
    reporter.on('restart', ({ label, error }) => this.#judged(label, error))
    const options = hostOptions(this.#supervision.core, this.isolated)
    const sharedThreads = new SharedThreads(log as never)
    const gateThreads = new GateThreads(options, sharedThreads)
    const processes = new ProcessPool(log as never)
    const threads = { sharedThreads, processes, gateThreads }
    const services: HostServices = { supervisor, options, log: log as never, reporter, ...threads }
    const open = new ObservedFrontends(this)
    this.#core = new LocalCore(options, services, open)
    this.#frontends = new Frontends({ ...services, core: this.#core }, open)
    this.#host = { ...services, core: this.#core, frontends: this.#frontends, checkRunning() {} } as never
    supervisor.signal('core.ready')
    // Like the host does.
    void this.#core.worker.exited.then(({ error }) => {
      if (!error) return
      supervisor.signal('core.failed')
      endClient(this.#core.client, error as BusError)
      this.#frontends.failAll(error)
      reporter.reportExit('core', 'core', { error, exitError: error })
    })
  }

  /** The host creates the links. */
  override link({ label, codec }: Frontend): void {
    if (this.hasFailed || this.#closing) return
    this.simulation.clock.place = this.hostPlace
    const supervision = this.#supervision.frontend
    const sandbox = this.#hasProcess(label) ? this.#processes : noneKind.resolve({ kind: 'none' }, 'sandbox')
    const settings = { codec, link: 'port', poll: false, sandbox, supervision } as FrontendConfig
    this.#frontends.open(label, MODULE, settings).then(
      load => load(),
      // A worker that was never ready is not restarted.
      () => this.#openLater(label),
    )
  }

  /** Core gets a link before its frontend does. For this link only later ends are known. */
  override getEpoch(label: string): Epoch {
    const { deaths, frontends, coreNumber: core, isolated } = this
    const was = frontends.find(frontend => frontend.label === label)?.isLinked
    const hasEnded = (): boolean => !was || this.deaths > deaths
    return {
      number: 0,
      core,
      isolated,
      get ended() {
        return hasEnded()
      },
      sent: Infinity,
      bytes: 0,
      running: 0,
      received: -1,
      left: false,
    }
  }

  beginsCore(thread: SimulatedThread): number {
    this.#cores.set(thread.place, ++this.coreNumber)
    this.corePlace = thread.place
    return this.coreNumber
  }

  beginsFrontend(thread: SimulatedThread, label: string): Frontend {
    const { place } = thread
    if (thread instanceof SimulatedProcess) thread.hasBegun = true
    const i = this.frontends.findIndex(frontend => frontend.label === label)
    // A run.
    if (i === -1) return new Frontend(this, label, 'json', 1, place)
    const next = this.frontends[i]!.next(place)
    this.frontends[i] = next
    return next
  }

  /** The frontend has got a link. */
  join(frontend: Frontend, end: LinkEndpoint): void {
    this.joinOver(frontend, openLink(end, true), getSimulatedPorts(end))
  }

  joinOver(frontend: Frontend, link: Link, ports: LinkEnds): void {
    if (frontend.epoch) frontend.epoch.ended = true
    let ended = false
    const epoch: Epoch = {
      number: ++this.#links,
      core: this.#cores.get(ports.in.peer.place) ?? 0,
      isolated: this.isolated,
      get ended() {
        return ended || ports.in.fate.isOver || ports.out.fate.isOver
      },
      set ended(value) {
        ended = value
      },
      sent: 0,
      bytes: 0,
      running: 0,
      received: -1,
      left: false,
    }
    frontend.ports = ports
    this.simulation.trace(() => `${frontend.place.name} gets link ${epoch.number} to core ${epoch.core}`)
    frontend.takes(link, epoch)
  }

  /** Runs code in a process. */
  run(): void {
    if (this.hasFailed) return
    this.simulation.clock.place = this.hostPlace
    const supervision = resolveSupervision('temporary', { heartbeat: false })
    void run(this, this.#host, { link: 'port', poll: false, sandbox: this.#processes, supervision })
  }

  /** Ends processes that were started ahead, before the code begins in them. Their relays say so first, or do not. */
  killSpares(): void {
    const { random } = this.simulation
    const isUnborn = ({ place, wasStartedAhead, hasBegun }: SimulatedProcess): boolean =>
      place.dead || (wasStartedAhead && !hasBegun)
    const all = this.threads.filter(thread => thread instanceof SimulatedProcess)
    for (const spare of all) {
      const isSpare = spare.isAhead && !spare.hasBegun && !spare.place.dead && spare.scripts.every(isUnborn)
      if (!isSpare || random.chance(0.2)) continue
      this.#stallHost()
      if (random.chance(0.5)) spare.report({ type: 'state', state: 'failed', error: reportError(new Error('killed')) })
      if (random.chance(0.2)) spare.die(1)
      else spare.exit(1)
      for (const script of spare.scripts) script.place.die()
    }
  }

  override crashCore(): void {
    this.#crash(place => place === this.corePlace)
  }

  override crashGate(label: string): void {
    this.#crash(({ name }) => name === `gate of ${label}`)
  }

  override crashFrontend(frontend: Frontend): void {
    this.#crash(place => place === frontend.place)
  }

  override leave(frontend: Frontend): void {
    this.crashFrontend(frontend)
  }

  /** Ends the frontend of a gate, which restarts it. */
  override cutLink(frontend: Frontend): void {
    if (!this.#cutsLinks) return
    this.#harmed()
    super.cutLink(frontend)
  }

  /** The host as often as all others. */
  override stall(place: Place): void {
    super.stall(this.simulation.random.chance(0.5) ? this.hostPlace : place)
  }

  override lost(): void {}

  override get places(): Place[] {
    const relays = this.threads.flatMap(thread => (thread instanceof SimulatedProcess ? [thread.relay] : []))
    return [this.hostPlace, ...this.threads.map(({ place }) => place), ...relays].filter(({ dead }) => !dead)
  }

  /** The host closes the bus. */
  override closeFrontends(): void {}

  override close(): void {
    const { clock, random } = this.simulation
    this.#closing = true
    this.closes = true
    const running = this.frontends.filter(({ isAlive }) => isAlive && random.chance(0.3))
    for (const { place } of running) place.compute(clock.now, clock.now + ENDLESS)
    clock.after(SILENCE, () => {
      const relays = this.threads.flatMap(thread => (thread instanceof SimulatedProcess ? [thread.relay] : []))
      if ([this.hostPlace, ...relays].some(({ stalledUntil }) => stalledUntil > clock.now - SILENCE)) return
      for (const { place } of running) if (!place.dead) this.simulation.fault(`${place.name} computes on`)
    })
    this.simulation.clock.place = this.hostPlace
    this.#host.processes.drain()
    void this.#frontends.closeAll().then(() => this.#core.worker.stop(100))
  }

  /** @param label - `undefined` for a process that is started ahead */
  #startProcess(label: string | undefined, owners: readonly SocketOwner[]): SimulatedProcess {
    const direct = ProcessSockets.create(owners)
    const ports = (direct?.ports ?? []) as unknown as SimulatedPort[]
    const started = new SimulatedProcess(this.simulation, label, processProgram(this), { label, ports }, ports)
    started.sockets = direct?.sockets
    return started
  }

  /** Its process can have ended. */
  #startScript(process: SimulatedProcess, label: string): SimulatedProcess {
    const script = this.#startProcess(label, [])
    process.scripts.push(script)
    if (process.place.dead) script.place.die()
    // The relay says first that the process has ended.
    process.once('exit', () => script.exit(1))
    return script
  }

  /** A label is that of a process in all of its lives. */
  #hasProcess(label: string): boolean {
    const known = this.#kinds.get(label)
    if (known !== undefined) return known
    const chosen = this.simulation.random.chance(0.5)
    this.#kinds.set(label, chosen)
    return chosen
  }

  spawn(kind: 'core' | 'gate' | 'frontend', data: { label?: string }): SimulatedThread {
    if (kind === 'core') return new SimulatedThread(`core ${this.coreNumber + 1}`, coreProgram(this), data)
    if (kind === 'gate') return new SimulatedThread(`gate of ${data.label}`, gateProgram(this), data)
    return new SimulatedThread(data.label!, frontendProgram(this), data)
  }

  /** Checks that nobody is blamed for what has not happened. */
  #judged(label: string, error: Error): void {
    const isLost = /closed unexpectedly/.test(error.message)
    if ((isLost && !this.#cutsLinks) || /did not|was not ready|blocked|SIGKILL/.test(error.message))
      this.simulation.fault(`${label} is blamed for what it has not done: ${error.message}`)
  }

  #givenUp(label: string, error: Error): void {
    const { core, frontend } = this.#supervision
    this.simulation.trace(() => `${label} is given up: ${error.message}`)
    if ((label === 'core' ? core : frontend).intensity > 100 && !this.hasFailed)
      this.simulation.fault(`${label} is given up: ${error.message}`)
    if (label === 'core') this.hasFailed = true
    else this.#openLater(label)
  }

  #harmed(): void {
    this.deaths++
    this.harmedAt = this.simulation.clock.now
  }

  /** Waits like a user would. */
  #openLater(label: string): void {
    this.#harmed()
    this.simulation.clock.after(RETRY, () => this.link(this.frontends.find(each => each.label === label)!))
  }

  /** The host is busy soon after something has ended: it reads some of the reports before, and the others after. */
  #stallHost(): void {
    const { random, clock } = this.simulation
    if (random.chance(0.4)) return
    clock.after(random.next() * 8, () => {
      this.hostPlace.stall(clock.now + random.next() * 3000)
      this.hostPlace.takesTimersLast = random.chance(0.5)
    })
  }

  #crash(which: (place: Place) => boolean): void {
    const thread = this.threads.findLast(({ place }) => !place.dead && which(place))
    if (this.healed || !thread) return
    const frontend = this.frontends.find(({ place }) => place === thread.place)
    if (frontend) this.zombies.push(frontend)
    this.#harmed()
    this.#stallHost()
    // A relay that ends waits for nobody.
    if (!(thread instanceof SimulatedProcess)) thread.exit(1)
    else if (this.simulation.random.chance(0.2)) thread.die(1)
    else thread.exit(1, this.simulation.random.chance(0.2) ? 'SIGSEGV' : null)
  }
}
