// The simulated bus under the real host: its supervisor starts and ends the threads, and gives frontends and gates their links,
// again after each crash.
import { endClient } from '@sallyport/frontend/internal'
import type { FrontendStart, FrontendWorkerData } from '@sallyport/protocol/internal/contract'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { openLink, type LinkEndpoint } from '@sallyport/protocol/internal/link'
import { isUnsentError, reportError } from '@sallyport/protocol/internal/errors'
import type { Link } from '@sallyport/protocol/internal/wire'
import { pino } from 'pino'
import type { Host } from '../../src/host/host.js'
import { LocalCore } from '../../src/host/local-core.js'
import type { Frontend as HostFrontend } from '../../src/life/frontends/frontend.js'
import { Frontends } from '../../src/life/frontends/frontends.js'
import type { FrontendConfig } from '../../src/life/frontends/config.js'
import type { SandboxConfig } from '../../src/life/sandboxes/sandbox.js'
import { createProcesses } from '../../src/life/workers/process-host.js'
import { noneKind } from '../../src/life/sandboxes/kinds.js'
import { ProcessPool } from '../../../process/src/process-pool.js'
import { resolveSupervision, type SupervisionConfig } from '../../src/life/policy.js'
import { Supervisor } from '../../src/life/supervisor.js'
import { BusReporter } from '../../src/life/reporting/events.js'
import { GateThreads, type HostServices } from '../../src/life/frontends/services.js'
import { SharedThreads, type ThreadMember } from '../../src/life/workers/shared-threads.js'
import type { SocketOwner } from '../../../process/src/contract.js'
import { createSockets } from '../../../process/src/launch.js'
import { BOUNDS } from './bounds.js'
import type { Epoch } from './model/ask.js'
import { Ends, type Kind } from './model/ends.js'
import { Frontend } from './frontend.js'
import { hostOptions } from './host-options.js'
import { Place } from './virtual/place.js'
import { getSimulatedPorts, type LinkEnds, type SimulatedPort } from './virtual/port.js'
import { run } from './runs.js'
import { coreProgram, frontendProgram, gateProgram, processProgram, scriptsProgram } from './programs.js'
import type { Simulation } from './simulation.js'
import { SimulatedNet } from './virtual/socket.js'
import { SimulatedProcess } from './virtual/process.js'
import { Rings } from './virtual/rings.js'
import { inWorld, ScriptThread, type SharedScript, SimulatedThread } from './virtual/threads.js'
import { World } from './world.js'

const log = pino({ level: 'silent' })
const MODULE = new URL('frontend:none')
/** Milliseconds. */
const RETRY = 50
/** Longer than the simulation of a close takes. */
const ENDLESS = 60_000
/** Until then, the host has ended a frontend that computes when it closes it. */
const SILENCE = 50
/** The bus waits so long for calls in flight when it closes. */
const CLOSE = 1000

/** Code that ends so often in a row before it begins is given up. */
const MAX_UNBORN = 3

/** No frontend of the simulation violates the protocol. */
class ObservedFrontends extends Map<number, HostFrontend> {
  readonly #world: SupervisedWorld

  constructor(world: SupervisedWorld) {
    super()
    this.#world = world
  }

  override set(id: number, frontend: HostFrontend): this {
    frontend.violated = (_link, error) => this.#world.fault(frontend.info.label, error)
    return super.set(id, frontend)
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
  readonly rings = new Rings()
  /** What the frontends of a label are. */
  readonly #kinds = new Map<string, 'process' | 'script' | 'thread'>()
  /** Scripts of threads that the host has started, the latest last. */
  readonly #shared: SharedScript[] = []
  /** Why threads of scripts end, until the host has heard of it. It can open a script in one meanwhile. */
  readonly #dying = new Map<ScriptThread, string>()
  readonly #processes = {
    ...{ kind: 'none', hasProcess: true, stopTimeout: 10_000 },
    spawn: (start: FrontendStart, { processes }: HostServices, owners: readonly SocketOwner[]) => {
      const { label } = start
      this.#starts('frontend', label)
      const unborn = (this.#unborn.get(label) ?? 0) + 1
      this.#unborn.set(label, unborn)
      if (unborn > MAX_UNBORN) this.#harmed()
      const open = (own: readonly SocketOwner[]) => (): never => this.#startProcess(undefined, own) as never
      const request = { key: '', reads: [], spares: this.#spares }
      if (this.#sharesProcesses) {
        const openIn = (relay: unknown): never => this.#startScript(relay as SimulatedProcess, start) as never
        return processes.pool!.share({ ...request, maxScripts: 2, open: open([]) }, openIn)
      }
      const spare = processes.pool!.take({ ...request, open: open(owners.length > 1 ? [] : owners) })
      spare?.postMessage({ type: 'start', start })
      return spare ?? this.#startProcess(start, owners)
    },
  } as unknown as SandboxConfig<'none'>
  /** The sandbox of scripts that share threads. */
  readonly #scripts = {
    ...{ kind: 'quickjs', ringBytes: BOUNDS.ring },
    spawn: (start: FrontendWorkerData, { sharedThreads }: HostServices) => {
      this.#starts('frontend', start.label)
      const spawn = (): never => new ScriptThread('the scripts', scriptsProgram(this), {}) as never
      const group = { ...{ name: 'scripts', size: 2, isKept: true, startsLater: true }, confirmTimeout: 10_000, spawn }
      return this.#watchScript(start.label, sharedThreads.open(group, start.label, start))
    },
  } as unknown as SandboxConfig<'none'>
  /** Processes that are started ahead. */
  readonly #spares: number
  /** Code in processes is one of several scripts of a process. */
  readonly #sharesProcesses: boolean
  #host!: Host<LocalCore>
  readonly #supervision: { core: SupervisionConfig; frontend: SupervisionConfig }
  readonly #ends: Ends
  /** Labels that the host has closed, and those that it opens. */
  readonly #closed = new Set<string>()
  readonly #opening = new Set<string>()
  /** What has been ordered, and has to end. */
  readonly #orders = new Set<string>()
  /** Links can be cut while both of their ends live. */
  readonly #cutsLinks: boolean
  #core!: LocalCore
  #frontends!: Frontends
  #links = 0
  /** How often processes were started for a label since its code has begun. */
  readonly #unborn = new Map<string, number>()
  /** Frontends that compute when the bus is closed. */
  #busy: readonly Frontend[] = []
  #closing = false

  constructor(simulation: Simulation) {
    super(simulation)
    this.#ends = new Ends(simulation)
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
    const supervisor = new Supervisor({ now: () => clock.now, random: () => random.next() })
    const reporter = new BusReporter(log as never, () => supervisor.state === 'draining')
    reporter.on('failed', ({ label, worker, error }) => this.#givenUp(worker, label, error))
    reporter.on('fault', ({ label, error }) => {
      // What is lost after a run has returned.
      if (!isUnsentError(error) || !label.startsWith('run-')) this.#ends.named(label, error.message)
    })
    reporter.on('restart', ({ label, worker, error }) => this.#ends.reported(worker, label, error))
    reporter.reportStopTimeout = (worker, label) => this.killed(worker, label)
    const options = hostOptions(this.#supervision.core, this.isolated)
    const sharedThreads = new SharedThreads()
    const gateThreads = new GateThreads(options, sharedThreads)
    const processes = createProcesses(undefined, log as never, sharedThreads)
    processes.pool = new ProcessPool(log as never) as never
    const threads = { sharedThreads, processes, gateThreads }
    const services = { supervisor, options, log: log as never, reporter, ...threads }
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
    if (
      this.hasFailed ||
      this.#closing ||
      this.#opening.has(label) ||
      this.#closed.has(label) ||
      this.#frontends.get(label)
    )
      return
    this.simulation.clock.place = this.hostPlace
    this.#opening.add(label)
    this.open({ label, codec }).then(
      load => {
        this.#opening.delete(label)
        return load()
      },
      // A worker that was never ready is not restarted.
      (error: Error) => {
        this.#opening.delete(label)
        if (!this.hasFailed && !this.#closed.has(label)) this.#ends.named(label, error.message)
        this.#openLater(label)
      },
    )
  }

  protected open(
    { label, codec }: Pick<Frontend, 'label' | 'codec'>,
    options: object = {},
  ): Promise<() => Promise<void>> {
    const supervision = this.#supervision.frontend
    const sandboxes = {
      process: this.#processes,
      script: this.#scripts,
      thread: noneKind.resolve({ kind: 'none' }, 'sandbox'),
    }
    const sandbox = sandboxes[this.getKind(label)]
    const text = { text: '', name: 'script' }
    const settings = { codec, sandbox, supervision, text, ...options } as unknown as FrontendConfig
    return this.#frontends.open(label, MODULE, settings)
  }

  protected get host(): Host<LocalCore> {
    return this.#host
  }

  /** Scripts of a process take each other's time. */
  protected get sharesTime(): boolean {
    return false
  }

  /** Core gets a link before its frontend does. For this link only later ends are known. */
  override getEpoch(label: string): Epoch {
    const { deaths, frontends, coreNumber: core, isolated } = this
    const frontend = frontends.find(each => each.label === label)
    // A process can run on for a while after its relay, and what the host ends until it takes the order.
    const isEnding = (['frontend', 'gate'] as const).some(kind => {
      const thread = this.#getThread(kind, label)
      return thread?.isOrdered || thread?.hasEnded
    })
    const was = frontend?.isLinked && !isEnding && !this.#closed.has(label)
    const hasEnded = (): boolean => !was || this.#closing || this.deaths > deaths
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
    if (thread instanceof SimulatedProcess) thread.hasBegun = true
    this.#unborn.delete(label)
    return this.#begins(label, thread.place)
  }

  /** A script begins in a thread that it shares. */
  beginsScript(thread: ScriptThread, label: string): Frontend {
    const script = this.#shared.findLast(each => each.label === label)!
    thread.scripts.push(Object.assign(script, { thread }))
    script.place.within = thread.place
    return this.#begins(label, script.place, thread.place)
  }

  #begins(label: string, place: Place, thread?: Place): Frontend {
    const i = this.frontends.findIndex(frontend => frontend.label === label)
    // A run.
    if (i === -1) return new Frontend(this, label, 'json', 1, place, thread)
    const next = this.frontends[i]!.next(place, thread)
    this.frontends[i] = next
    return next
  }

  /** The frontend has got a link. */
  join(frontend: Frontend, end: LinkEndpoint): Link {
    this.rings.own(end, frontend.place, frontend.thread)
    const ports = end.kind === 'ring' ? this.rings.getEnds(end) : getSimulatedPorts(end)
    return this.joinOver(frontend, openLink(end, true), ports)
  }

  joinOver(frontend: Frontend, link: Link, ports: LinkEnds): Link {
    if (frontend.epoch) frontend.epoch.ended = true
    let ended = false
    const epoch: Epoch = {
      number: ++this.#links,
      core: this.#cores.get(ports.in.peer.place) ?? 0,
      isolated: this.isolated,
      get ended() {
        return ended || frontend.place.dead || ports.in.fate.isOver || ports.out.fate.isOver
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
    // As the runtime of a frontend says.
    link.isPatient = true
    return frontend.gets(link, epoch)
  }

  /** Runs code in a process, or as a script. */
  run(): void {
    if (this.hasFailed) return
    this.simulation.clock.place = this.hostPlace
    const supervision = resolveSupervision('temporary', { heartbeat: false })
    void run(this, this.#host, { supervision, ...this.getSandbox(this.simulation.random.chance(0.5)) })
  }

  /** Returns where the code of a run runs. */
  protected getSandbox(isScript: boolean): Partial<FrontendConfig> {
    const wrapper = { before: '', after: '' }
    const text = isScript ? { text: '', name: 'bus.run', wrapper } : undefined
    return { sandbox: isScript ? this.#scripts : this.#processes, text } as Partial<FrontendConfig>
  }

  /** Observes what the host orders, and what it hears. */
  #watchScript(label: string, member: ThreadMember): ThreadMember {
    const place = new Place(label)
    const script = {
      ...{ label, place, member, isOrdered: false, wasReady: false },
      thread: undefined as unknown as ScriptThread,
      get hasEnded(): boolean {
        return place.dead
      },
    }
    this.#shared.push(script)
    for (const why of this.#dying.values()) this.#ends.died('frontend', label, why, place)
    const { postMessage, terminate } = member
    member.on('message', ({ state }) => void (script.wasReady ||= state === 'ready'))
    // Without a thread, nothing of it runs.
    member.on('exit', () => script.place.die())
    return Object.assign(member, {
      postMessage(message: { type: string }, transfer?: []) {
        script.isOrdered ||= message.type === 'stop'
        postMessage.call(member, message, transfer)
      },
      terminate() {
        script.isOrdered = true
        return terminate.call(member)
      },
    })
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

  /** The host closes it and opens it again, or reloads it. */
  protected override ends({ label }: Frontend): void {
    const { clock, random } = this.simulation
    const closes = random.chance(0.6)
    clock.at(clock.now, () => (closes ? this.#close(label) : this.#reload(label)), undefined, this.hostPlace)
  }

  /** Ends the frontend of a gate, which restarts it. */
  override cutLink(frontend: Frontend): void {
    if (!this.#cutsLinks || !(frontend.ports && 'cut' in frontend.ports.in)) return this.crashFrontend(frontend)
    this.#harmed()
    this.#ends.cut(frontend.label)
    this.harms(frontend.thread)
    super.cutLink(frontend)
  }

  /** The host as often as all others. */
  override stall(place: Place): void {
    const stalled = this.simulation.random.chance(0.5) ? this.hostPlace : place
    this.harms(stalled)
    super.stall(stalled)
  }

  override lost(): void {}

  override get places(): Place[] {
    const relays = this.threads.flatMap(thread => (thread instanceof SimulatedProcess ? [thread.relay] : []))
    return [this.hostPlace, ...this.threads.map(({ place }) => place), ...relays].filter(({ dead }) => !dead)
  }

  /** Where code of the host's process runs or has run. */
  get hostThreads(): Place[] {
    const threads = this.threads.filter(thread => !(thread instanceof SimulatedProcess))
    return [this.hostPlace, ...threads.map(({ place }) => place)]
  }

  /** The host closes the bus. */
  override closeFrontends(): void {}

  /** As `bus.close` does: core ends before the frontends. */
  override close(): void {
    this.endSoon(this.frontends, this.hostPlace, () => this.#closeBus())
  }

  #closeBus(): void {
    const { clock, random } = this.simulation
    this.#closing = true
    this.closes = true
    for (const { label } of this.frontends) this.#ends.ordered(label)
    // Whoever closes a bus does not wait for a reload.
    for (const { label } of this.frontends) if (random.chance(0.2)) this.#reload(label)
    // A script that computes is ended with its thread, after a time of its own.
    const running = this.frontends.filter(
      ({ isAlive, place, thread }) => isAlive && place === thread && random.chance(0.3),
    )
    for (const { place } of running) place.compute(clock.now, clock.now + ENDLESS)
    // What takes longer is cut off.
    clock.after(CLOSE, () => {
      for (const { epoch } of this.frontends) if (epoch) epoch.harmed = true
    })
    this.simulation.clock.place = this.hostPlace
    this.#host.supervisor.signal('drain')
    this.#host.processes.pool?.drain()
    this.#order(
      'the close of the bus',
      this.#core.worker
        .stop(CLOSE)
        .then(() => {
          this.#checkSilence(running)
          return this.#frontends.closeAll()
        })
        .then(() => {
          for (const { label } of this.frontends) this.hasExited(label)
        })
        .then(() => this.#host.sharedThreads.close()),
    )
    this.#busy = running
  }

  /** Code that computes is ended soon. */
  #checkSilence(running: readonly Frontend[]): void {
    const { clock } = this.simulation
    clock.after(SILENCE, () => {
      const relays = this.threads.flatMap(thread => (thread instanceof SimulatedProcess ? [thread.relay] : []))
      if ([this.hostPlace, ...relays].some(({ stalledUntil }) => stalledUntil > clock.now - SILENCE)) return
      for (const { place } of running) if (!place.dead) this.simulation.fault(`${place.name} computes on`)
    })
  }

  override toldWhy(label: string, why: string | undefined, place: Place | undefined): void {
    if (why !== undefined) return this.#ends.named(label, why)
    // A call can have had the link of code that never began.
    const isReloading = this.#orders.has(`the reload of ${label}`)
    if (place && !this.#closed.has(label) && !isReloading) this.#ends.untold(label, place)
  }

  override checkEnds(): void {
    if (!this.hasFailed) this.#ends.checkAtRest()
    for (const order of this.#orders) this.simulation.fault(`${order} never ends`)
  }

  /** @param start - `undefined` for a process that is started ahead */
  #startProcess(start: FrontendStart | undefined, owners: readonly SocketOwner[]): SimulatedProcess {
    const sockets = createSockets(owners)
    const ports = (sockets?.ports ?? []) as unknown as SimulatedPort[]
    const started = new SimulatedProcess(this.simulation, start?.label, processProgram(this), { start, ports }, ports)
    started.sockets = sockets
    return started
  }

  /** Its process can have ended. */
  #startScript(process: SimulatedProcess, start: FrontendStart): SimulatedProcess {
    const script = this.#startProcess(start, [])
    process.scripts.push(script)
    if (this.sharesTime) script.place.within = process.place
    if (process.place.dead || process.relay.dead) script.place.die()
    // The relay says first that the process has ended.
    process.once('exit', () => script.exit(1))
    return script
  }

  /** A label has code of one kind in all of its lives. */
  getKind(label: string): 'process' | 'script' | 'thread' {
    const known = this.#kinds.get(label)
    if (known !== undefined) return known
    const chosen = this.simulation.random.pick(['process', 'script', 'thread'] as const)
    this.#kinds.set(label, chosen)
    return chosen
  }

  spawn(kind: Kind, data: { label?: string }): SimulatedThread {
    this.#starts(kind, data.label)
    if (kind === 'core') return new SimulatedThread(`core ${this.coreNumber + 1}`, coreProgram(this), data)
    if (kind === 'gate') return new SimulatedThread(`gate of ${data.label}`, gateProgram(this), data)
    return new SimulatedThread(data.label!, frontendProgram(this), data)
  }

  #starts(kind: Kind, label: string | undefined): void {
    if (this.#closing || (label !== undefined && this.#closed.has(label)))
      this.simulation.fault(`${kind} ${label ?? ''} starts, although it has been closed`)
  }

  #order(what: string, end: Promise<unknown>): void {
    this.#orders.add(what)
    const ended = (): void => void this.#orders.delete(what)
    end.then(ended, ended)
  }

  #close(label: string): void {
    if (this.#opening.has(label) || this.#closed.has(label) || this.hasFailed) return
    this.simulation.trace(() => `the host closes ${label}`)
    this.#ends.ordered(label)
    this.#harmed()
    for (const frontend of this.frontends)
      if (frontend.label === label && frontend.epoch) frontend.epoch.dropsCalls = true
    this.#closed.add(label)
    const ended = (): void => {
      this.#closed.delete(label)
      this.hasExited(label)
      this.#openLater(label)
    }
    this.#order(`the close of ${label}`, this.#frontends.close(label, this.simulation.random.below(200)).finally(ended))
  }

  #reload(label: string): void {
    if (this.#opening.has(label) || this.#closed.has(label) || this.hasFailed) return
    this.simulation.trace(() => `the host reloads ${label}`)
    this.#ends.ordered(label)
    this.#harmed()
    this.#order(`the reload of ${label}`, this.#frontends.reload('reload', label))
  }

  #getThread(kind: Kind, label: string): SimulatedThread | SharedScript | undefined {
    const frontend = this.frontends.find(each => each.label === label)
    if (kind === 'frontend' && this.#kinds.get(label) === 'script')
      return this.#shared.findLast(each => each.label === label)
    const isIt = (place: Place): boolean =>
      kind === 'gate'
        ? place.name === `gate of ${label}`
        : place === (kind === 'core' ? this.corePlace : frontend?.place)
    return this.threads.findLast(({ place }) => isIt(place))
  }

  /** Whoever waited for a close goes on as if nothing of it ran any more. */
  protected hasExited(label: string): void {
    for (const kind of ['frontend', 'gate'] as const) {
      const thread = this.#getThread(kind, label)
      // A process whose relay has ended first ends by itself, and nobody can say when.
      const isOrphan = thread instanceof SimulatedProcess && thread.relay.dead
      if (thread?.place.dead === false && !isOrphan)
        this.simulation.fault(`${thread.place.name} runs on, although its close has ended`)
    }
  }

  /** Only code that computes on is killed, once nothing is stalled any more. */
  protected killed(kind: Kind, label: string): void {
    const isBusy = kind === 'frontend' && this.#busy.some(frontend => frontend.label === label)
    if (this.#closing && this.#getThread(kind, label)?.place.dead === false && !isBusy)
      this.simulation.fault(`${kind} ${label} is killed, although it would have ended`)
  }

  #givenUp(kind: Kind, label: string, error: Error): void {
    const { core, frontend } = this.#supervision
    this.simulation.trace(() => `${label} is given up: ${error.message}`)
    const wasReady = kind === 'core' || this.#getThread(kind, label)?.wasReady
    const mayRestart = (kind === 'core' ? core : frontend).intensity > 100 && !this.#closed.has(label)
    if (mayRestart && wasReady && !this.hasFailed) this.simulation.fault(`${label} is given up: ${error.message}`)
    if (!this.hasFailed) this.#ends.reported(kind, label, error)
    if (label === 'core') this.hasFailed = true
    else this.#openLater(label)
  }

  /** What ends or stalls here loses what is on its way. */
  harms(place: Place): void {
    const label = place.name.replace('gate of ', '')
    for (const { epoch, thread, label: own } of [...this.frontends, ...this.zombies])
      if (epoch && (place === thread || own === label || this.#cores.has(place))) epoch.harmed = true
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
      const until = clock.now + random.next() * 3000
      this.hostPlace.goesOn(clock.now, random.chance(0.5))
      this.hostPlace.stall(clock.now, until)
    })
  }

  #crash(which: (place: Place) => boolean): void {
    const isIt = (thread: SimulatedThread): boolean =>
      which(thread.place) ||
      (thread instanceof ScriptThread && thread.scripts.some(({ place }) => !place.dead && which(place)))
    const thread = this.threads.findLast(each => !each.place.dead && !each.hasEnded && isIt(each))
    if (this.healed || !thread) return
    const frontends = this.frontends.filter(each => each.thread === thread.place && !each.place.dead)
    for (const frontend of frontends) {
      this.zombies.push(frontend)
      this.callAbout(frontend.label)
    }
    this.#harmed()
    this.harms(thread.place)
    this.#stallHost()
    this.#end(thread, frontends[0]?.label)
  }

  /** A worker ends in one of many ways. */
  #end(thread: SimulatedThread, frontend: string | undefined): void {
    const { random } = this.simulation
    const { place } = thread
    const code = 1 + random.below(250)
    const [why, end] = random.pick<[string, () => void]>([
      [`exited with code ${code}`, () => thread.exit(code)],
      [`mistake ${code}`, () => thread.fail(new Error(`mistake ${code}`))],
      ['exited ', () => thread.exit(0)],
      // A relay that ends waits for nobody.
      [`exited with code ${code}`, () => (thread instanceof SimulatedProcess ? thread.die(code) : thread.exit(code))],
      ...(thread instanceof SimulatedProcess
        ? [['SIGSEGV', () => thread.exit(1, 'SIGSEGV')] as [string, () => void]]
        : []),
    ])
    const kind = this.#cores.has(place) ? 'core' : place.name.startsWith('gate of ') ? 'gate' : 'frontend'
    const label = kind === 'core' ? 'core' : (frontend ?? place.name.replace('gate of ', ''))
    this.simulation.trace(() => `${place.name} is to end: ${why}`)
    // The host ends isolated code with core, which takes nothing more.
    if (kind === 'core') for (const each of this.frontends) this.#ends.ordered(each.label)
    if (thread instanceof ScriptThread) {
      this.#dying.set(thread, why)
      thread.once('exit', () => void this.#dying.delete(thread))
    }
    // Each script dies with its thread.
    const dying =
      thread instanceof ScriptThread
        ? this.#shared.filter(script => !script.place.dead && (script.thread ?? thread) === thread)
        : [Object.assign(thread, { label, member: thread })]
    for (const each of dying) {
      const death = this.#ends.died(kind, each.label, why, each.place)
      each.member.prependOnceListener('exit', () => {
        death.wasReady = each.wasReady
        // A script that has not begun can be for another thread.
        const isThere = !('thread' in each) || each.thread === thread
        death.isDue = isThere && !each.isOrdered && !this.#opening.has(each.label) && !this.#closed.has(each.label)
      })
    }
    end()
  }
}
