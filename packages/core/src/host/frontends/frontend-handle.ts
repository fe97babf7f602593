// One frontend and its link to core, which passes its gate in the isolation pattern. The frontend's runtime, its gate and core restart
// independently; whichever comes back, `connect` replaces the link and its key.
import { availableParallelism } from 'node:os'
import type { RecordableHistogram } from 'node:perf_hooks'
import { MessageChannel } from 'node:worker_threads'
import { MAX_UNHANDLED } from '@sallyport/protocol/internal/contract'
import { BusError, describeName, isBusError, reportError } from '@sallyport/protocol/internal/errors'
import {
  closeEndpoint,
  createDirectEndpoints,
  createDirectTriangle,
  createLinkEndpoints,
  createTriangleEndpoints,
} from '@sallyport/protocol/internal/link'
import { createDeferred } from '@sallyport/protocol/internal/util'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { LinkKind, PollMode, TriangleEndpoints } from '@sallyport/protocol/internal/link'
import type { RequestId } from '@sallyport/protocol/internal/message'
import type { AsyncContext, Deferred } from '@sallyport/protocol/internal/util'
import type { Pattern } from '../../acl/types.js'
import type { FrontendEnd, InterruptionReport, LinkOffer } from '../../contract/host-core.js'
import type { ConnectionConfig, FrontendConfig } from '../options/config.js'
import { type JoinedStats, SessionTraffic, type TrafficStats } from '../reporting/stats.js'
import { CONNECTION_SANDBOX } from '../sandboxes/kinds.js'
import { CAN_DENY_NET } from '../sandboxes/permission-model/net.js'
import type { ProcessSockets, SocketOwner } from '../../shared/process-sockets.js'
import { type Peer, patience } from '../../shared/patience.js'
import { createFrontendInfo, type FrontendInfo } from './frontend-info.js'
import { FrontendLife } from './frontend-life.js'
import { type GateEvents, type GateHandle, getGateSupervision, startGate } from './gate-handle.js'
import { LinkActor, type LinkEvent, type LinkState } from './link-lifecycle.js'
import type { RuntimeEnd } from './runtime-end.js'
import type { FrontendHost, FrontendRuntime, RuntimeEvents } from './types.js'

export interface FrontendDeps {
  label: string
  /** Name of this session in core: the label, unless several sessions share it. */
  name: string
  /** Without a sandbox option, the frontend's end of the link is in this thread. */
  config: ConnectionConfig & Partial<Pick<FrontendConfig, 'sandbox'>>
  /** True if the frontend's code already runs and only waits for a link. Other code waits for `start`, too. */
  isRunning: boolean
  /** True if the code runs outside of this process. This thread forwards its frames. */
  isExternal?: boolean
  /** @param owners - the threads that own the ends of its process's sockets, if it has any */
  createRuntime(events: RuntimeEvents, owners: readonly SocketOwner[]): FrontendRuntime
}

export interface FrontendEvents {
  /** Called when the runtime exited for good: the name is free again. `end` is `undefined` if the host ended it. */
  onExit(end: RuntimeEnd | undefined): void
}

/** The ends of a link. The host closes them for a thread that has exited. */
type LinkEndpoints = Omit<TriangleEndpoints, 'gate'> & Partial<Pick<TriangleEndpoints, 'gate'>>

interface FrontendLink {
  readonly id: number
  readonly ends: LinkEndpoints
  readonly actor: LinkActor
  /** Resolved when the link was handed over or dropped. */
  readonly settled: Deferred<void>
  /** False once core has stopped: no core reports the close of this link. */
  hasCore: boolean
  isDetached: boolean
}

/** Time for code that the host closes to exit. After it, core reads nothing more of what the code has sent. */
const CLOSE_GRACE_MS = 250
/** Time for the one of its ends that has ended to say so, before both are asked. */
const LOST_LINK_MS = 1000

/** The thread of a gate has no network, where Node can deny it. A socket to a path is denied, too. */
const canGatesConnect = !CAN_DENY_NET

let lastLinkId = 0

export class FrontendHandle {
  /** Resolves once core has a link and the gate is ready; rejects if that never happens. */
  readonly ready: Promise<void>
  /** Resolves with the error, if any, once the runtime and the gate have exited for good. */
  readonly exited: Promise<Error | undefined>
  /** Why the code last stopped; `undefined` if it has not stopped by itself. */
  end: RuntimeEnd | undefined
  /** What the code of a run rejected with and did not handle. */
  readonly unhandled: BusError[] = []
  #startedAt = Date.now()
  readonly #host: FrontendHost
  readonly #deps: FrontendDeps
  readonly #events: FrontendEvents
  readonly #runtime: FrontendRuntime
  readonly #gate: GateHandle | undefined
  readonly #traffic = new SessionTraffic()
  /** Links with lower ids belonged to an earlier frontend of the same label. */
  readonly firstLink: number = lastLinkId + 1
  /** Number of its latest link: it has another one once something that it connects was replaced. */
  lastLink = 0
  readonly #ready = createDeferred()
  readonly #exited = createDeferred<Error | undefined>()
  /** Links that are not closed, by id. A gate that exits can still hold earlier ones than the latest. */
  readonly #links = new Map<number, FrontendLink>()
  readonly #life = new FrontendLife({
    open: () => {
      this.#isReady = true
      this.#ready.resolve()
    },
    begin: () => this.#host.core.post({ type: 'begin', label: this.#deps.name }),
    end: () => this.#postEnd(true),
    forget: () => this.#postEnd(false),
  })
  readonly #isProcess: boolean
  #isReady = false
  #rejectedCount = 0
  #unsentCount = 0

  constructor(host: FrontendHost, deps: FrontendDeps, events: FrontendEvents) {
    this.#host = host
    this.#deps = deps
    this.#events = events
    this.#isProcess = deps.config.sandbox?.hasProcess === true
    this.ready = this.#ready.promise
    this.exited = this.#exited.promise
    this.ready.catch(() => {})
    this.#gate = host.options.pattern === 'isolation' ? this.#startGate() : undefined
    const runtimeEvents: RuntimeEvents = {
      restarted: () => {
        this.#startedAt = Date.now()
        this.connect()
      },
      stopped: (isReload, end, restarts) => this.#onStop(isReload, end, restarts ? 'restarting' : 'stopped'),
      exited: (error, end) => this.#onExit(error, end),
      unsent: count => (this.#unsentCount += count),
      unhandled: error => void (this.unhandled.length < MAX_UNHANDLED && this.unhandled.push(error)),
      suspended: script => this.#deps.config.suspension?.stopped(script),
    }
    this.#runtime = deps.createRuntime(runtimeEvents, this.#getSocketOwners())
    this.connect()
  }

  get stats(): JoinedStats {
    return {
      ...this.#runtime.stats,
      ...this.#wall,
      ...(this.#gate && { gate: this.#gate.stats }),
      rejected: this.#rejectedCount,
      unsent: this.#unsentCount,
    }
  }

  get codec(): CodecName {
    return this.#deps.config.codec
  }

  get info(): FrontendInfo {
    const { label, config, isExternal } = this.#deps
    const sandbox = isExternal ? 'external' : (config.sandbox?.kind ?? CONNECTION_SANDBOX)
    return createFrontendInfo(
      { label, sandbox, ...this.#wall, startedAt: this.#startedAt },
      this.#runtime.stats,
      this.end,
    )
  }

  get maxInFlight(): number {
    return this.#deps.config.maxInFlight
  }

  get #wall(): Pick<FrontendInfo, 'wall'> {
    const { wall } = this.#deps.config.sandbox ?? {}
    return wall === undefined ? {} : { wall }
  }

  /** Returns the async context of the run, or that of a call of a client in this thread. */
  takeContext(id?: RequestId): AsyncContext | undefined {
    const { callers } = this.#runtime
    const context = callers?.get(id)
    callers?.delete(id)
    return context ?? this.#deps.config.getContext?.()
  }

  /** Calls that count for the limit of a run. */
  get limitedCalls(): number {
    return this.#traffic.limitedCalls
  }

  takeTraffic(resetRates: boolean): TrafficStats {
    return this.#traffic.snapshot(this.#host.core.isUp && this.#life.isKnown, resetRates)
  }

  /** Lets the frontend's code start with its first link. */
  start(): void {
    this.#life.send('started')
    this.#activate()
  }

  /** Reloads the hook and, if asked, the module. Returns false if the frontend has nothing of that. */
  async reload(module: boolean): Promise<boolean> {
    const reloads = [module ? this.#runtime.reload?.() : undefined, this.#gate?.reload()]
    const pending = reloads.filter(reload => reload !== undefined)
    await Promise.all(pending)
    return pending.length > 0
  }

  /** Connects without the rights of trusted code from now on. */
  endTrust(): void {
    this.#deps.config.isTrusted = false
  }

  /** Ends the frontend for good: core is gone. */
  fail(error: Error): void {
    this.#life.send('closed')
    this.#runtime.fail(error)
  }

  /** Resolves once the calls of the host's own code that wait for a response now have been settled. */
  async callsSettled(): Promise<void> {
    await this.#runtime.callsSettled?.()
  }

  /**
   * @param timeout - milliseconds that code which runs on is given to take notice
   * @param hasAnswered - true for a run whose code has returned
   */
  async close(timeout = 0, hasAnswered = false): Promise<void> {
    this.#life.send('closed')
    const timer = setTimeout(() => this.#onStop(false, undefined, 'stopped'), timeout + CLOSE_GRACE_MS)
    await this.#runtime.stop(timeout, hasAnswered && this.#deps.config.sandbox?.endsWithAnswer)
    clearTimeout(timer)
    await this.exited
  }

  /** Sends a new link to core if core, the gate and the runtime are up. Whichever is not calls this again when it comes up. */
  connect(): void {
    this.#drop(this.#pending)
    const { core } = this.#host
    const gate = this.#gate
    if (!core.isUp || !this.#runtime.isUp || gate?.isUp === false) return
    const { sockets } = this.#runtime
    // Sockets of a process last as long as both of their ends.
    if (sockets?.take() === false) return this.#runtime.replace?.()
    const { name, config } = this.#deps
    const id = (this.lastLink = ++lastLinkId)
    const ends = this.#createEnds(sockets?.ids)
    const { codec, readAhead, allow, isTrusted, runsOnce, run, limitLabel } = config
    const hasStarted = this.#deps.isRunning && !this.#life.hasBegun
    const isFirst = this.#life.stage === 'opening'
    const offer: LinkOffer = {
      ...{ label: name, codec, endpoint: ends.core, id, firstLink: this.firstLink, isFirst, hasStarted },
      ...{ readAhead, limitLabel, allow, isTrusted, runsOnce, run },
    }
    if (gate && ends.gate) {
      const key = new MessageChannel()
      gate.connect(id, ends.gate, key.port2)
      offer.keyPort = key.port1
    }
    // A remote core keeps its own counters.
    if (!core.isRemote) offer.metrics = this.#traffic.attach()
    this.#createLink(id, ends)
    this.#life.send('offered')
    core.attach(offer)
  }

  /** Closes core's ends of the links, so that the other threads learn that core has stopped. */
  coreStopped(): void {
    const [pending, active] = [this.#pending, this.#active]
    for (const link of this.#links.values()) {
      closeEndpoint(link.ends.core)
      link.hasCore = false
      if (link !== active) this.#links.delete(link.id)
    }
    pending?.actor.send('dropped')
  }

  /** Resolves once no link is pending: it was handed over, or what it connects is down. */
  async connected(): Promise<void> {
    for (let link = this.#pending; link; link = this.#pending) await link.settled.promise
  }

  /** Core took the link. */
  attached(link: number): void {
    const pending = this.#pending
    if (pending?.id !== link) return
    if (this.#deps.isRunning) this.#life.send('announced')
    pending.actor.send('attached')
    this.#activate()
  }

  /** Reports what happened to a link. @param error - for `rejected` and `violated` */
  sendToLink(link: number, event: LinkEvent, error?: Error): void {
    this.#links.get(link)?.actor.send(event, error)
  }

  /** Core reports that a call of this run was interrupted. */
  interrupted(link: number | undefined, report: InterruptionReport): void {
    if (link !== undefined && link >= this.firstLink) this.#deps.config.suspension?.interrupted(report)
  }

  /** Takes the histogram of a link whose first call was timed. The call can have outlived the link. */
  timed(link: number, latency: RecordableHistogram): void {
    if (link >= this.firstLink) this.#traffic.addLatency(latency)
  }

  /** The link that waits here until core has taken it and the gate is ready. */
  get #pending(): FrontendLink | undefined {
    return this.#findLink('pending', 'attached')
  }

  /** The link that the runtime has. It stays in use until a pending link replaces it. */
  get #active(): FrontendLink | undefined {
    return this.#findLink('active', 'closing')
  }

  #findLink(...states: LinkState[]): FrontendLink | undefined {
    return [...this.#links.values()].find(({ actor }) => states.includes(actor.state))
  }

  #startGate(): GateHandle {
    const { label, config } = this.#deps
    const { hookTimeout } = this.#host.options.isolation
    const events: GateEvents = {
      restarted: () => this.connect(),
      ready: () => this.#activate(),
      stopped: () => this.#onGateStop(),
      protocolError: (link, error) => this.sendToLink(link, 'violated', error),
      rejected: count => (this.#rejectedCount += count),
      failed: error => this.#fail(error),
    }
    return startGate(
      label,
      getGateSupervision(config.supervision, hookTimeout),
      this.#host,
      events,
      this.#isProcess && canGatesConnect && this.#host.core.socketOwner !== undefined,
    )
  }

  #createLink(id: number, ends: LinkEndpoints): void {
    const settled = createDeferred()
    let endWait = (): void => {}
    const actor = new LinkActor({
      connect: () => {
        this.#runtime.connect(ends.frontend)
        settled.resolve()
      },
      discard: () => {
        closeEndpoint(ends.frontend)
        settled.resolve()
      },
      replace: () => {
        this.#detach(link)
        this.#links.delete(id)
        if (this.#pending) return
        const { sockets } = this.#runtime
        if (sockets?.areOpen) return this.#expectExit(sockets)
        // A process cannot get another link in place of its own, which was this one if the code has no other.
        if (this.#isProcess && this.#life.code === 'running' && !this.#active) this.#runtime.replace?.()
        else this.connect()
      },
      fail: error => {
        const { label } = this.#deps
        // A rejected first link is the error of `ready`, and not a failure to report. Of a cancelled session, others go on.
        const isEnd = this.#life.code === 'running'
        if (isEnd && isBusError(error, 'Cancelled')) this.#host.log.info({ label }, `session ended: ${error.message}`)
        else if (isEnd) this.#host.reporter.reportExit('frontend', label, { error, exitError: error })
        this.#fail(error)
      },
      wait: () => {
        const expire = (): void => {
          const isUp = !this.#pending && this.#host.core.isUp && this.#gate?.isUp !== false && this.#runtime.isUp
          if (isUp) actor.send('expired')
        }
        endWait = patience(this.#both, LOST_LINK_MS, expire)
      },
      linger: () => {
        // Without a core that reports its close, a replaced link would keep its memory until core stops again.
        if (!link.hasCore) this.#links.delete(id)
      },
      release: () => {
        if (link.isDetached) this.#links.delete(id)
        endWait()
      },
      // Its end follows, and is why.
      abort: () => {
        const error = this.#createLinkError()
        // A thread or process reports it once it has exited: its own last words say more, and can be late on a busy machine.
        if (this.#deps.config.sandbox === undefined) this.#host.reporter.reportFault(this.#deps.label, error)
        this.#runtime.dismiss(error)
      },
      dismiss: error => this.#runtime.dismiss(error),
    })
    const link: FrontendLink = { id, ends, actor, settled, hasCore: true, isDetached: false }
    this.#links.set(id, link)
  }

  #fail(error: Error): void {
    this.#ready.reject(error)
    this.#runtime.fail(error)
  }

  #getSocketOwners(): readonly SocketOwner[] {
    const { socketOwner } = this.#host.core
    if (!this.#isProcess || !socketOwner) return []
    if (!this.#gate) return [socketOwner]
    return canGatesConnect ? [this.#gate, socketOwner] : []
  }

  /** The code and its gate: either can be why a link has closed, and the one that has ended says so, and does not answer. */
  get #both(): Peer {
    const [runtime, gate] = [this.#runtime, this.#gate]
    return { ask: onAnswer => runtime.ask(() => (gate ? gate.ask(onAnswer) : onAnswer())) }
  }

  /** The process has closed its end before it had a link: it exits, and says why, or is ended. */
  #expectExit(sockets: ProcessSockets): void {
    patience(this.#both, LOST_LINK_MS, () => {
      if (this.#runtime.sockets === sockets && sockets.areOpen) this.#runtime.dismiss(this.#createLinkError())
    })
  }

  #createLinkError(): BusError {
    const message = `The link between frontend ${describeName(this.#deps.label)} and core closed unexpectedly`
    return new BusError('Disconnected', message)
  }

  /** @param sockets - those of a process, if it has any */
  #createEnds(sockets: readonly number[] = []): LinkEndpoints {
    const { core, options } = this.#host
    const { link, poll, sandbox } = this.#deps.config
    // Two ends in the same thread must not poll for each other. The links to a remote core end in this thread too.
    const isOneThread = sandbox === undefined && (core.isInProcess || core.isRemote)
    // The relay of a process occupies one core.
    const cores = isOneThread ? 1 : availableParallelism() - (this.#isProcess ? 1 : 0)
    const kind = link === 'auto' ? 'ring' : link
    const pollMode = poll ? getPollMode(options.pattern, cores) : 'never'
    const [socket, fromCore] = sockets
    if (socket !== undefined && fromCore !== undefined) return createDirectTriangle([socket, fromCore], kind, pollMode)
    if (socket !== undefined) return createDirectEndpoints(socket)
    const ringBytes = sandbox?.ringBytes
    if (this.#gate) return createTriangleEndpoints(kind, pollMode, ringBytes)
    const [coreEnd, frontendEnd] = createLinkEndpoints(this.#getLinkKind(isOneThread, kind), pollMode, ringBytes)
    return { core: coreEnd, frontend: frontendEnd }
  }

  #getLinkKind(isOneThread: boolean, kind: LinkKind): LinkKind | 'local' {
    const { core } = this.#host
    // This thread forwards only frames that it has received whole, so core needs no ring, which takes far more memory.
    if (this.#deps.isExternal) return core.isInProcess ? 'local' : 'port'
    // The other end forwards to a remote core, and answers nothing itself.
    return isOneThread && core.isRemote && this.#deps.config.link === 'auto' ? 'local' : kind
  }

  /** Hands the pending link to the runtime once core has it, the gate is ready and the code is allowed to start. */
  #activate(): void {
    const pending = this.#pending
    if (pending?.actor.state !== 'attached' || this.#gate?.isReady === false) return
    this.#life.send('linked')
    if (this.#deps.isRunning) this.#life.send('started')
    if (this.#life.stage !== 'started') return
    this.#drop(this.#active)
    this.#life.send('activated')
    pending.actor.send('activated')
  }

  /** Closes the gate's ends of the links, so that the other threads learn that it has stopped. */
  #onGateStop(): void {
    for (const link of this.#links.values()) {
      if (link.ends.gate) closeEndpoint(link.ends.gate)
      this.#detach(link)
    }
    this.#drop(this.#pending)
  }

  #onStop(isReload: boolean, end: RuntimeEnd | undefined, event: 'stopped' | 'restarting' | 'exited'): void {
    this.end = isReload ? undefined : end
    this.#pending?.actor.send('dropped')
    this.#active?.actor.send('dropped')
    this.#life.send(event)
    for (const link of this.#links.values()) this.#detach(link, end)
  }

  #drop(link: FrontendLink | undefined): void {
    link?.actor.send('dropped')
    if (link) this.#detach(link)
  }

  /** Core learns once of each link that nothing more comes over it. */
  #detach(link: FrontendLink, end?: RuntimeEnd): void {
    if (link.isDetached || !link.hasCore) return
    link.isDetached = true
    this.#host.core.post({ type: 'detach', link: link.id, end: end && reportEnd(end) })
    if (link.actor.state === 'closed') this.#links.delete(link.id)
  }

  #postEnd(hasBegun: boolean): void {
    const { end } = this
    const { stage, code } = this.#life
    const reported = end && reportEnd(end)
    const [restarts, drops] = [code === 'restarting', stage === 'closing']
    // A page that leaves can come back with the same label.
    const isOver = !restarts && (drops || !this.#deps.isExternal)
    this.#host.core.post({ type: 'end', label: this.#deps.name, hasBegun, end: reported, restarts, drops, isOver })
  }

  #onExit(error: Error | undefined, end: RuntimeEnd | undefined): void {
    // When the page left, it could come back: only now is its life over.
    if (this.#deps.isExternal && this.#life.code === 'unlinked') this.#postEnd(false)
    this.#onStop(false, end, 'exited')
    if (!this.#isReady) this.#ready.reject(error ?? createEarlyExitError())
    this.#events.onExit(end)
    this.#exited.resolve(Promise.resolve(this.#gate?.stop()).then(() => error))
  }
}

const reportEnd = ({ why, error, ranCode }: RuntimeEnd): FrontendEnd => ({
  ...{ why, ranCode },
  error: error && reportError(error),
})

const createEarlyExitError = (): BusError =>
  new BusError('Disconnected', 'The frontend exited before it was connected', { data: { delivered: 'no' } })

/** Threads that a call passes through, each of which polls its ring while that pays off. */
const THREADS_PER_CALL: Record<Pattern, number> = { brownfield: 2, isolation: 3 }

/** On fewer cores, a polling thread takes the core of the thread that it waits for, unless it polls briefly (ADR 6). */
export const getPollMode = (pattern: Pattern, cores: number): PollMode =>
  cores >= THREADS_PER_CALL[pattern] ? 'adaptive' : cores > 1 ? 'replies' : 'never'
