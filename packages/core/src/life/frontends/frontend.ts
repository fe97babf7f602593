// One frontend: the effects of its life on its links, and its figures. Its code, its gate and core restart independently. Whichever comes back, the
// life offers a new link with a new key; a process has one link, and is replaced.
import type { SocketOwner } from '@sallyport/process/internal'
import { CAN_DENY_NET } from '@sallyport/process/internal/permission-model'
import { getWorkerName, MAX_UNHANDLED, patience, type Peer } from '@sallyport/protocol/internal/contract'
import {
  BusError,
  describeName,
  isBusError,
  isUnsentError,
  receiveError,
  reportError,
} from '@sallyport/protocol/internal/errors'
import {
  closeEndpoint,
  createDirectEndpoints,
  createDirectTriangle,
  createLinkEndpoints,
  createTriangleEndpoints,
  type LinkKind,
  type PollMode,
  type TriangleEndpoints,
} from '@sallyport/protocol/internal/link'
import type { RequestId } from '@sallyport/protocol/internal/message'
import { type AsyncContext, createDeferred, type Deferred } from '@sallyport/protocol/internal/util'
import { LINGER_MS, MAX_STOP_ROUNDS } from '@sallyport/protocol/internal/wire'
import { availableParallelism } from 'node:os'
import { MessageChannel } from 'node:worker_threads'
import type { Pattern } from '../../acl/types.js'
import type { FrontendEnd, EndedFrontend, InterruptionReport, LinkOffer } from '../../contract/host-core.js'
import { createEnd, describeEnd, type Effects, type LifeContext, type RuntimeEnd } from '../judge.js'
import type { Life } from '../table.js'
import type { FrontendTerms } from '../thread.js'
import type { ConnectionConfig, FrontendConfig } from './config.js'
import { ServedCalls } from '../reporting/served-calls.js'
import { type JoinedStats, SessionTraffic, type TrafficStats } from '../reporting/stats.js'
import { CONNECTION_SANDBOX } from '../sandboxes/kinds.js'
import { CLOSE_TIMEOUT_MS, type GateEvents, GateHandle, getGateSupervision } from './gate-handle.js'
import type { FrontendHost, FrontendInfo, FrontendRuntime, RuntimeEvents } from './types.js'

export interface FrontendDeps {
  label: string
  /** Name of this session in core: the label, unless several sessions share it. */
  name: string
  /** Without a sandbox option, the frontend's end of the link is in this thread. */
  config: ConnectionConfig & Partial<Pick<FrontendConfig, 'sandbox'>>
  module?: URL
  /** True if the frontend's code already runs and only waits for a link. Other code waits for `start`, too. */
  isRunning: boolean
  /** True if the code runs outside of this process. This thread forwards its frames. */
  isExternal?: boolean
  /** @param owners - the threads that own the ends of its process's sockets, if it has any */
  createRuntime(events: RuntimeEvents, terms: FrontendTerms, owners: readonly SocketOwner[]): FrontendRuntime
}

/** The ends of a link. The host closes them for a thread that has exited. */
type LinkEndpoints = Omit<TriangleEndpoints, 'gate'> & Partial<Pick<TriangleEndpoints, 'gate'>>

interface FrontendLink {
  readonly ends: LinkEndpoints
  /** Resolved when the link was handed over or given up. */
  readonly settled: Deferred<void>
  isHandedOver: boolean
  isGivenUp: boolean
  hasEnded: boolean
}

/** Time for the one of its ends that has ended to say so, before both are asked. */
const LOST_LINK_MS = 1000

/** Turns in a row of code and core in which core takes nothing: in one, a pipe that was full can still wait to be written. */
const QUIET_TURNS = 3
/** Turns of code that goes on sending: a client keeps 16 MiB, of which 64 KiB leave at once. */
const MAX_FLUSH_TURNS = 512

/** The thread of a gate has no network, where Node can deny it. A socket to a path is denied, too. */
const canGatesConnect = !CAN_DENY_NET

let lastFrontend = 0
let lastLink = 0

export class Frontend {
  /** Unique in this thread. A further frontend with the same label has another one. */
  readonly id: number = ++lastFrontend
  readonly traffic: SessionTraffic = new SessionTraffic()
  readonly served: ServedCalls = new ServedCalls()
  /** Resolves once core has a link and the gate is ready; rejects if that never happens. */
  readonly ready: Promise<void>
  /** Resolves with the error, if any, once the runtime and the gate have exited for good, and core has read what they sent or had the time for it. */
  readonly exited: Promise<Error | undefined>
  end: RuntimeEnd | undefined
  /** What the code of a run rejected with and did not handle. */
  readonly unhandled: BusError[] = []
  #startedAt = Date.now()
  readonly deps: FrontendDeps
  readonly #host: FrontendHost
  readonly #runtime: FrontendRuntime
  readonly #life: Life
  readonly #gate: GateHandle | undefined
  /** Its gate, and core behind it. */
  readonly #taker: Peer
  /** A hook can take its time, which the host limits. A gate that has not been asked yet has as much to pass on as one that says it has nothing. */
  readonly #readTaken = (): unknown =>
    this.#gate?.isInHook ? {} : `${this.traffic.taken} ${String(this.#gate?.worker.code.queued ?? 0)}`
  readonly #ready = createDeferred()
  readonly #exited = createDeferred<Error | undefined>()
  readonly #onExit: (end: RuntimeEnd | undefined) => void
  /** Links by id. Threads can still hold the ends of earlier ones than that of the life. */
  readonly #links = new Map<number, FrontendLink>()
  /** Resolved with the milliseconds that its links have from now on, or from the exit of the code on, once the host closes it. */
  readonly #closing = createDeferred<number>()
  #onLinksEnded = (): void => {}
  readonly #isProcess: boolean
  /** Calls that had succeeded when its current code, gate and core began. */
  readonly #succeededBefore = { code: 0, gate: 0, core: 0 }
  #rejectedCount = 0
  #unsentCount = 0

  /** @param onExit - called when the code has exited for good: the name is free again. `end` is `undefined` if the host ended it */
  constructor(host: FrontendHost, deps: FrontendDeps, onExit: (end: RuntimeEnd | undefined) => void) {
    this.#host = host
    this.deps = deps
    this.#isProcess = deps.config.sandbox?.hasProcess === true
    this.ready = this.#ready.promise
    this.exited = this.#exited.promise
    this.ready.catch(() => {})
    const { core } = host
    const toCore: Peer = { ask: (onAnswer, onEnd = onAnswer) => (core.ask ? core.ask(onAnswer, onEnd) : onAnswer()) }
    const gate = host.options.pattern === 'isolation' ? this.#startGate(toCore) : undefined
    this.#gate = gate
    this.#taker = gate
      ? { ask: onAnswer => gate.worker.code.ask(() => toCore.ask(onAnswer, onAnswer), onAnswer) }
      : toCore
    this.#onExit = onExit
    const events: RuntimeEvents = {
      unsent: count => (this.#unsentCount += count),
      unhandled: error => {
        // The number first: a thread can forge reports, and each error takes a stack.
        if (this.unhandled.length < MAX_UNHANDLED) this.unhandled.push(receiveError(error, 'A promise rejected'))
      },
      suspended: script => this.deps.config.suspension?.stopped(script),
    }
    const isIsolated = gate !== undefined
    const hasServed = (): boolean => this.hasServed('code')
    const taking = { taker: this.#taker, readTaken: this.#readTaken }
    const terms: FrontendTerms = {
      ...{ isIsolated, nextLink: () => ++lastLink, hasServed, effects: this.#effects, ...taking },
    }
    this.#runtime = deps.createRuntime(events, terms, this.#getSocketOwners())
    this.#life = this.#runtime.life
    if (host.core.isUp) this.coreStarted()
    if (this.#gate?.worker.isUp) this.#life.send({ type: 'GATE.UP' })
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

  /** Number of its latest link: it has another one once something that it connects was replaced. */
  get lastLink(): number {
    return this.#life.context.link
  }

  get info(): FrontendInfo {
    const { label, config, isExternal } = this.deps
    const sandbox = isExternal ? 'external' : (config.sandbox?.kind ?? CONNECTION_SANDBOX)
    const { state, restarts } = this.#runtime.stats
    const info: FrontendInfo = { label, sandbox, ...this.#wall, startedAt: this.#startedAt, state, restarts }
    if (this.end?.error) info.error = this.end.error
    return info
  }

  get #wall(): Pick<FrontendInfo, 'wall'> {
    const { wall } = this.deps.config.sandbox ?? {}
    return wall === undefined ? {} : { wall }
  }

  /** Returns the async context of the run, or that of a call of a client in this thread. */
  takeContext(id?: RequestId): AsyncContext | undefined {
    const { callers } = this.#runtime
    const context = callers?.get(id)
    callers?.delete(id)
    return context ?? this.deps.config.getContext?.()
  }

  takeTraffic(resetRates: boolean): TrafficStats {
    return this.traffic.snapshot(this.#host.core.isUp && this.#life.value.link !== 'down', resetRates)
  }

  /** True if a call of it, or to it, has succeeded since its code, its gate or core began. A remote core does not say. */
  hasServed(since: 'code' | 'gate' | 'core'): boolean {
    return this.#host.core.isRemote || this.traffic.succeeded > this.#succeededBefore[since]
  }

  start(): void {
    this.#life.send({ type: 'START' })
  }

  /** Reloads the hook and, if asked, the module. Returns false if the frontend has nothing of that. */
  async reload(module: boolean): Promise<boolean> {
    const reload = module ? this.#runtime.reload : undefined
    // The gate first passes on what the code has sent, and the next code waits for the next gate.
    const reloads = [this.#gate?.worker.reload(reload ? LINGER_MS : 0), reload?.()]
    const pending = reloads.filter(each => each !== undefined)
    await Promise.all(pending)
    return pending.length > 0
  }

  fail(error: Error): void {
    this.#life.send({ type: 'FAIL', error })
  }

  /** True once the host closes it. */
  get isClosing(): boolean {
    return this.#life.context.goal === 'stop'
  }

  refuseCalls(createError: () => BusError): void {
    this.#runtime.refuseCalls?.(createError)
  }

  async callsSettled(): Promise<void> {
    await this.#runtime.callsSettled?.()
  }

  /** Resolves once core has what the code has sent so far: both have turned, and core took no more of it. Code that goes on sending has some turns. */
  async flushed(): Promise<void> {
    const { code } = this.#life.value
    let quiet = code === 'running' ? 0 : QUIET_TURNS
    for (let turns = 0; quiet < QUIET_TURNS && turns < MAX_FLUSH_TURNS; turns++) {
      const before = this.#readTaken()
      await new Promise<void>(resolve => this.#runtime.ask(() => this.#taker.ask(resolve, resolve), resolve))
      quiet = this.#readTaken() === before ? quiet + 1 : 0
    }
  }

  /** @param timeout - milliseconds that code which runs on is given to take notice */
  async close(timeout = 0): Promise<Error | undefined> {
    this.#life.send({ type: 'STOP', timeout })
    this.#closing.resolve(timeout + CLOSE_TIMEOUT_MS)
    return this.exited
  }

  /** Resolves once no link is pending: it was handed over, or what it connects is down. */
  async connected(): Promise<void> {
    while (['offered', 'attached'].includes(this.#life.value.link!))
      await this.#links.get(this.#life.context.link)!.settled.promise
  }

  coreStarted(): void {
    this.#life.send({ type: 'CORE.UP' })
  }

  /** Closes core's ends of the links, so that the other threads learn that core has stopped. */
  coreStopped(): void {
    this.#succeededBefore.core = this.traffic.succeeded
    this.#life.send({ type: 'CORE.DOWN' })
    for (const { ends } of this.#links.values()) closeEndpoint(ends.core)
    this.#links.clear()
    this.#onLinksEnded()
  }

  attached(link: number): void {
    this.#life.send({ type: 'LINK.ATTACHED', link })
  }

  rejected(link: number, error: Error): void {
    this.#settle(link, 'hasEnded')
    const { value, context } = this.#life
    if (value.link !== 'offered' || context.link !== link) return
    const { label } = this.deps
    // A rejected first link is the error of `ready`, and not a failure to report. Of a cancelled session, others go on.
    if (context.hasBegun && isBusError(error, 'Cancelled'))
      this.#host.log.info({ label }, `session ended: ${error.message}`)
    else if (context.hasBegun) this.#host.reporter.reportExit('frontend', label, { error, exitError: error })
    this.fail(error)
  }

  linkEnded(id: number): void {
    this.#life.send({ type: 'LINK.ENDED', link: id })
    this.#settle(id, 'hasEnded')
  }

  /** The session with a core in another process has ended, which is no fault of the frontend. */
  sessionEnded(id: number): void {
    this.#life.send({ type: 'LINK.DROPPED', link: id })
  }

  violated(link: number, error: Error): void {
    this.#life.send({ type: 'LINK.VIOLATED', link, error })
  }

  interrupted(report: InterruptionReport): void {
    this.deps.config.suspension?.interrupted(report)
  }

  #startGate(taker: Peer): GateHandle {
    const { label, config } = this.deps
    const { hookTimeout } = this.#host.options.isolation
    const isClosing = (): boolean => this.isClosing
    const events: GateEvents = {
      isOfRun: config.runsOnce === true,
      isClosing,
      hasServed: () => this.hasServed('gate'),
      ...{ taker, readTaken: this.#readTaken },
      changed: type => {
        if (type === 'GATE.UP') this.#succeededBefore.gate = this.traffic.succeeded
        // The other threads learn of its end by their ends.
        if (type === 'GATE.DOWN') for (const { ends } of this.#links.values()) if (ends.gate) closeEndpoint(ends.gate)
        this.#life.send({ type })
      },
      protocolError: (link, error) => this.violated(link, error),
      rejected: count => (this.#rejectedCount += count),
      // Without its gate, code that is being closed has no link, and ends nevertheless.
      failed: error => {
        if (isClosing()) return
        // Its code can have ended as it should, while the gate had messages of it.
        if (this.end && !this.end.error) this.end = describeEnd(label, error)
        this.fail(error)
      },
    }
    return new GateHandle(
      label,
      getGateSupervision(config.supervision, hookTimeout),
      this.#host,
      events,
      this.#isProcess && canGatesConnect && this.#host.core.worker !== undefined,
    )
  }

  get #effects(): Partial<Effects> {
    let stopAsking = (): void => {}
    return {
      ...this.#endEffects,
      opened: () => this.#ready.resolve(),
      offer: context => this.#offer(context),
      handOver: ({ link: id, hasBegun }) => {
        const link = this.#links.get(id)!
        if (!hasBegun && !this.deps.isRunning) this.#host.core.post({ type: 'begin', frontend: this.id })
        link.isHandedOver = true
        this.#runtime.connect(link.ends.frontend)
        link.settled.resolve()
      },
      detach: ({ link, obituary, error }) => {
        const end = obituary || error ? this.end : undefined
        this.#host.core.post({ type: 'detach', link, end: end && reportEnd(end) })
        this.#giveUp(link)
      },
      forget: ({ link }) => this.#giveUp(link),
      drop: context => {
        if (context.goal !== 'stop') return
        this.end = undefined
        this.#postEnded('none', context)
      },
      ask: ({ link }) => {
        const [runtime, gate] = [this.#runtime, this.#gate]
        // Either can be why the link has closed, and the one that has ended says so, and does not answer.
        const both: Peer = { ask: onAnswer => runtime.ask(() => (gate ? gate.worker.code.ask(onAnswer) : onAnswer())) }
        stopAsking = patience(both, LOST_LINK_MS, () => {
          // Core ends before the frontends when the bus closes.
          if (this.#host.supervisor.state === 'draining') return
          const { label, config } = this.deps
          const message = `The link between frontend ${describeName(label)} and core closed unexpectedly`
          const error = new BusError('Disconnected', message)
          // A thread or process reports it once it has exited: its own last words say more, and can be late on a busy machine.
          if (config.sandbox === undefined) this.#host.reporter.reportFault(label, error)
          this.#life.send({ type: 'LINK.ANSWERED', link, error })
        })
      },
      stopAsking: () => stopAsking(),
      replace: () => this.#life.send({ type: 'RELOAD' }),
    }
  }

  /** What the end of its code is for core, and for who waits for this frontend. */
  get #endEffects(): Partial<Effects> {
    const { label, config } = this.deps
    /** @param isUnwanted - false for an end by the host, of which core needs no reason */
    const ended = (next: EndedFrontend['next'], context: LifeContext, isUnwanted = true): void => {
      this.end = isUnwanted ? describeEnd(label, context.error, context.obituary) : undefined
      this.#postEnded(next, context)
    }
    return {
      spawn: ({ run }) => {
        if (run === 1) return
        this.#startedAt = Date.now()
        this.#succeededBefore.code = this.traffic.succeeded
        // It has not begun.
        if (this.end?.ranCode === false) this.end = undefined
      },
      renew: context => ended('restart', context, context.obituary?.ranCode === false),
      backOff: context => ended('restart', context),
      wait: context => ended('wait', context),
      leave: context => ended('wait', context, context.error !== undefined),
      exit: context => {
        // A reload at the close of the bus has nothing to begin again, and is a close.
        const isOrder = context.goal === 'stop' || (context.goal === 'reload' && !context.error)
        ended('none', context, config.sandbox !== undefined && !isOrder)
      },
      over: ({ error }) => {
        const why = 'exited before it was connected'
        const name = getWorkerName('frontend', label)
        this.#ready.reject(error ?? createEnd(name, 'Disconnected', why, { delivered: 'no' }))
        this.#onExit(this.end)
        this.#exited.resolve(this.#endLinks().then(unsent => error ?? unsent))
      },
    }
  }

  #offer({ link: id, hasBegun }: LifeContext): void {
    const { core } = this.#host
    const { sockets } = this.#runtime
    sockets?.take()
    const { isRunning, name, config } = this.deps
    const ends = this.#createEnds(sockets?.ids)
    const { codec, allow, isTrusted, rightsSource, runsOnce, run, limitLabel, maxConfirms } = config
    const begun = hasBegun ? 'before' : isRunning ? 'now' : undefined
    const offer: LinkOffer = {
      ...{ frontend: this.id, label: name, codec, endpoint: ends.core, id, begun },
      ...{ limitLabel, maxConfirms, allow, isTrusted, rightsSource, runsOnce, run },
    }
    if (this.#gate && ends.gate) {
      const key = new MessageChannel()
      this.#gate.connect(id, ends.gate, key.port2)
      offer.keyPort = key.port1
    }
    // A remote core keeps its own counters.
    if (!core.isRemote) offer.metrics = this.traffic.attach()
    this.#links.set(id, { ends, settled: createDeferred(), isHandedOver: false, isGivenUp: false, hasEnded: false })
    core.attach(offer)
  }

  #giveUp(id: number): void {
    const link = this.#links.get(id)
    if (!link) return
    if (!link.isHandedOver) closeEndpoint(link.ends.frontend)
    link.settled.resolve()
    this.#settle(id, 'isGivenUp')
  }

  /** Forgets a link with its memory once both facts are known, in whatever order. */
  #settle(id: number, fact: 'isGivenUp' | 'hasEnded'): void {
    const link = this.#links.get(id)
    if (!link) return
    link[fact] = true
    if (link.isGivenUp && link.hasEnded) this.#links.delete(id)
    if (this.#links.size === 0) this.#onLinksEnded()
  }

  /** Resolves once core has what the code has sent, or takes no more of it. Its gate ends then, with an error if it still had some of it. */
  async #endLinks(): Promise<Error | undefined> {
    if (this.#links.size > 0) {
      const over = createDeferred()
      this.#onLinksEnded = over.resolve
      let stopAsking = (): void => {}
      const wait = (ms: number): void => {
        stopAsking()
        stopAsking = patience(this.#taker, ms, over.resolve, this.#readTaken, MAX_STOP_ROUNDS)
      }
      void this.#closing.promise.then(ms => this.#links.size > 0 && wait(ms))
      wait(LINGER_MS)
      await over.promise
      stopAsking()
    }
    const error = (await this.#gate?.stop())?.error
    return isUnsentError(error) ? error : undefined
  }

  #getSocketOwners(): readonly SocketOwner[] {
    const { worker } = this.#host.core
    if (!this.#isProcess || !worker) return []
    if (!this.#gate) return [worker]
    return canGatesConnect ? [this.#gate.worker, worker] : []
  }

  /**
   * Two variables are for diagnosis. `SALLYPORT_LINK=port` joins threads by MessagePorts: code that holds one can end the thread at its other
   * end. With `SALLYPORT_POLL=0`, rings sleep instead of polling.
   */
  #createEnds(sockets: readonly number[] = []): LinkEndpoints {
    const { core, options } = this.#host
    const { sandbox } = this.deps.config
    // Two ends in the same thread must not poll for each other. The links to a remote core end in this thread too.
    const isOneThread = sandbox === undefined && (core.isInProcess || core.isRemote)
    // The relay of a process occupies one core.
    const cores = isOneThread ? 1 : availableParallelism() - (this.#isProcess ? 1 : 0)
    const { SALLYPORT_LINK, SALLYPORT_POLL } = process.env
    const kind = SALLYPORT_LINK === 'port' ? 'port' : 'ring'
    const pollMode = SALLYPORT_POLL === '0' ? 'never' : getPollMode(options.pattern, cores)
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
    if (this.deps.isExternal) return core.isInProcess ? 'local' : 'port'
    // The other end forwards to a remote core, and answers nothing itself.
    return isOneThread && core.isRemote ? 'local' : kind
  }

  /** Tells core that the code has stopped. Of a frontend that is gone, core takes note once. */
  #postEnded(next: EndedFrontend['next'], { goal }: LifeContext): void {
    const { id: frontend, end } = this
    this.#host.core.post({ type: 'ended', frontend, next, end: end && reportEnd(end), drops: goal === 'stop' })
  }
}

const reportEnd = ({ why, error, ranCode }: RuntimeEnd): FrontendEnd => ({
  ...{ why, ranCode },
  error: error && reportError(error),
})

/** Threads that a call passes through, each of which polls its ring while that pays off. */
const THREADS_PER_CALL: Record<Pattern, number> = { brownfield: 2, isolation: 3 }

/** On fewer cores, a polling thread takes the core of the thread that it waits for (ADR 6). */
export const getPollMode = (pattern: Pattern, cores: number): PollMode =>
  cores >= THREADS_PER_CALL[pattern] ? 'adaptive' : 'never'
