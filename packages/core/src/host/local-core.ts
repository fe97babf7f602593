// The host's handle of a core on this machine: a supervised worker, or core in the host's thread. It has the host's own link, and keeps
// capability changes, which also apply after a restart.
import { type Client, createReconnectingClient, reconnectClient, settleListeners } from '@sallyport/frontend/internal'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import {
  type Answer,
  deadline,
  type InitScript,
  silence,
  type StateReport,
} from '@sallyport/protocol/internal/contract'
import { BusError, describeName, receiveError } from '@sallyport/protocol/internal/errors'
import {
  closeEndpoint,
  createLinkEndpoints,
  getPorts,
  type LinkEndpoint,
  openLink,
  type TransferListItem,
} from '@sallyport/protocol/internal/link'
import { assertNever, createDeferred, type Deferred, isDevelopment } from '@sallyport/protocol/internal/util'
import { EventEmitter } from 'node:events'
import { setImmediate as nextTick } from 'node:timers/promises'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { ExplainedFrontend } from '../acl/explain.js'
import type { CapabilityChanges } from '../acl/types.js'
import type { CoreDefinition } from '../api/define.js'
import type {
  CoreCommand,
  CoreReport,
  CoreWorkerData,
  HostPlugin,
  LinkOffer,
  Measurement,
  NetworkStats,
} from '../contract/host-core.js'
import { createCoreLog, runCoreActor } from '../core-thread/core-actor.js'
import type { Core, TakeContext } from '../core-thread/core.js'
import { getHeapLimit } from '../shared/heap-limit.js'
import type { Frontend } from '../life/frontends/frontend.js'
import type { HostServices } from '../life/frontends/services.js'
import type { CoreEndpoint } from '../life/frontends/types.js'
import type { ThreadHandle } from '../life/thread.js'
import type { SupervisedWorker } from '../life/worker.js'
import { type Effects, getExit, type WorkerExit } from '../life/judge.js'
import type { BusConfig } from '../options/config.js'
import { HostConfirmRequests } from '../life/reporting/confirm.js'
import { forwardLine } from '../life/reporting/log.js'
import { SessionTraffic } from '../life/reporting/stats.js'
import { createOutputSink, pipeOutput } from '../life/workers/output.js'
import { type SpareWorker, startCoreWorker } from '../life/workers/spare-worker.js'
import { explainSyntax } from '../life/workers/syntax-errors.js'

const MEASURE_TIMEOUT_MS = 250
const EXPLAIN_TIMEOUT_MS = 2000

export class LocalCore implements CoreEndpoint {
  readonly worker: SupervisedWorker
  readonly client: Client
  readonly changes: CapabilityChanges = { added: new Map(), removed: new Set() }
  /** Plugins that were added at run time, by name. A core that restarts gets them too. */
  readonly plugins: Map<string, HostPlugin> = new Map()
  readonly isInProcess: boolean
  readonly isRemote = false
  readonly hasNetwork: boolean
  scripts: readonly InitScript[] = []
  readonly traffic: SessionTraffic = new SessionTraffic()
  network: NetworkStats | undefined
  /** Called once core has ended for good. */
  onOver: (exit: WorkerExit) => void = () => {}
  readonly #codec: CodecName
  readonly #services: HostServices
  readonly #frontends: ReadonlyMap<number, Frontend>
  /** True if the current core has served a frontend that is open no more. */
  #hasServed = false
  readonly confirmRequests: HostConfirmRequests
  /** The host's end of its own link, which each core gets first. */
  #hostEnd: LinkEndpoint
  /** False until core has the client's listeners again: then it gets the links of frontends, so that the host misses none of their events. */
  #isConnected = true
  #reconnected = Promise.resolve()
  #measurement: Deferred<Measurement | undefined> | undefined
  readonly #questions = new Map<number, Deferred<ExplainedFrontend>>()
  #lastQuestion = 0
  #holds = 1

  /**
   * @param frontends - those that core reports to, by number
   * @param early - a worker for the first core
   */
  constructor(
    options: BusConfig,
    services: HostServices,
    frontends: ReadonlyMap<number, Frontend>,
    early?: SpareWorker,
  ) {
    this.#codec = options.codec
    this.#services = services
    this.#frontends = frontends
    this.isInProcess = !(options.core instanceof URL)
    this.hasNetwork = options.network !== undefined
    this.confirmRequests = new HostConfirmRequests(options.onConfirm, services.log)
    this.worker = this.#start(options, early)
    this.#hostEnd = this.#attachHost()
    const client = { label: 'host', codec: options.codec, timeout: options.calls.commandTimeout }
    this.client = createReconnectingClient(openLink(this.#hostEnd, true), client)
  }

  get isUp(): boolean {
    return this.#isConnected && this.worker.isUp
  }

  attach(offer: LinkOffer): void {
    const { endpoint, keyPort } = offer
    const ports = [...getPorts(endpoint), ...(keyPort ? [keyPort] : [])]
    this.worker.post({ type: 'attach', offer } satisfies CoreCommand, ports)
  }

  post(command: CoreCommand): void {
    this.worker.post(command)
  }

  ask(onAnswer: () => void, onEnd = (): void => {}): void {
    if (this.isUp) this.worker.code.ask(onAnswer, onEnd)
    else onEnd()
  }

  async reload(): Promise<void> {
    if (this.isInProcess) {
      throw new BusError('InvalidParams', 'bus.reload: core runs in this thread and has no module to reload')
    }
    await this.worker.reload()
    await this.#reconnected
  }

  /** Lets core keep events for listeners that the host adds until `releaseEvents`. */
  holdEvents(): void {
    this.#holds += 1
    // A core that restarts holds events from its start.
    this.post({ type: 'hold', holds: true })
  }

  /** Ends one `holdEvents`, or that of the start, in the first tick after `loaded` in which the host calls no `listen`. */
  async releaseEvents(loaded: Promise<void>): Promise<void> {
    await loaded
    do await nextTick()
    while (await settleListeners(this.client))
    this.#holds -= 1
    if (this.#holds === 0) this.post({ type: 'hold', holds: false })
  }

  /** Updates the metrics of all links. Resolves with `undefined` if core does not answer in time. */
  measure(watchCalls?: boolean): Promise<Measurement | undefined> {
    if (!this.worker.isUp && this.worker.stats.state !== 'draining') return Promise.resolve(undefined)
    // One request at a time, however many callers wait for a core that is blocked.
    if (!this.#measurement || watchCalls !== undefined) this.post({ type: 'measure', watchCalls })
    if (this.#measurement) return this.#measurement.promise
    const measurement = (this.#measurement = createDeferred<Measurement | undefined>())
    const clear = deadline(MEASURE_TIMEOUT_MS, () => measurement.resolve(undefined))
    void measurement.promise.then(() => {
      clear()
      this.#measurement = undefined
    })
    return measurement.promise
  }

  /**
   * Asks core what a frontend can call. This is not a call, so that no figure counts it.
   *
   * @throws {BusError} Timeout
   */
  async explain(label: string): Promise<ExplainedFrontend> {
    const [id, question] = [++this.#lastQuestion, createDeferred<ExplainedFrontend>()]
    this.#questions.set(id, question)
    const onLate = (): void =>
      question.reject(new BusError('Timeout', `Core did not answer within ${EXPLAIN_TIMEOUT_MS} ms`))
    const clear = silence(EXPLAIN_TIMEOUT_MS, {}, onLate)
    this.post({ type: 'explain', id, label })
    try {
      return await question.promise
    } finally {
      clear()
      this.#questions.delete(id)
    }
  }

  #start(options: BusConfig, early: SpareWorker | undefined): SupervisedWorker {
    const { core, dev, workers, calls, coreSupervision, pattern, acl, appInfo, resources, plugins, network } = options
    const { supervisor, log, reporter } = this.#services
    const takeContext: TakeContext = (frontend, id) => this.#frontends.get(frontend)?.takeContext(id)
    const getData = (): InProcessCoreData => ({
      ...{
        pattern,
        calls,
        acl,
        changes: this.changes,
        hostPlugins: [...this.plugins.values()],
        appInfo,
        resources: resources?.href,
        plugins,
        logLevel: log.level,
      },
      network: network && { module: network.module.href, options: network.options },
      codec: this.#codec,
      holdsEvents: this.#holds > 0,
      poolLimits: { maxOldGenerationSizeMb: getHeapLimit() },
    })
    return supervisor.start({
      name: 'core',
      // A watchdog in this thread cannot see that this thread is stuck.
      supervision: core instanceof URL ? coreSupervision : { ...coreSupervision, heartbeat: false },
      hasStartTimeout: true,
      waitsAfterError: dev,
      // The host does not see the sessions of a network.
      hasServed: () =>
        this.hasNetwork || this.#hasServed || [...this.#frontends.values()].some(each => each.hasServed('core')),
      spawn(heartbeat) {
        if (!(core instanceof URL)) return new InProcessCore(core, getData(), takeContext)
        const stdio = dev ? { stdout: true, stderr: true } : {}
        const data = { ...getData(), module: core.href, development: isDevelopment(), sourceMaps: dev, heartbeat }
        const worker = startCoreWorker(data, early, workers.core, stdio)
        if (dev) pipeOutput(worker, createOutputSink({ worker: 'core', label: 'core' }, log, options.log))
        return worker
      },
      // Outside `dev`, an error of a module that has been loaded is not one of its syntax.
      ...(core instanceof URL && {
        explainError: (error, signal) =>
          dev || this.worker.stats.state === 'starting' ? explainSyntax(error, core, signal) : undefined,
      }),
      onState: state => log.debug({ worker: 'core', state }, 'state'),
      onReport: report => this.#onReport(report as Exclude<CoreReport, StateReport | Answer>),
      effects: [this.#effects, reporter.getEffects('core', 'core')],
    })
  }

  served(): void {
    this.#hasServed = true
  }

  #attachHost(): LinkEndpoint {
    const [coreEnd, hostEnd] = createLinkEndpoints('port')
    const metrics = this.traffic.attach()
    this.attach({ frontend: undefined, label: undefined, codec: this.#codec, endpoint: coreEnd, id: 0, metrics })
    return hostEnd
  }

  get #effects(): Partial<Effects> {
    const stopped = (): void => this.#stopped()
    return {
      ...{ renew: stopped, backOff: stopped, wait: stopped },
      spawn: ({ run }) => {
        if (run > 1) this.#hostEnd = this.#attachHost()
      },
      ready: () => this.#isConnected || this.#reconnect(),
      over: context => {
        this.confirmRequests.reset()
        // A core that has never been ready is the error of the start.
        if (context.everRan) this.onOver(getExit(context))
      },
    }
  }

  #reconnect(): void {
    const hostEnd = this.#hostEnd
    this.#reconnected = reconnectClient(this.client, openLink(hostEnd, true)).then(() => {
      // Core can have stopped meanwhile.
      if (!this.worker.isUp || this.#hostEnd !== hostEnd) return
      this.#isConnected = true
      for (const frontend of this.#frontends.values()) frontend.coreStarted()
      this.#services.reporter.reportRights('core', 'core')
    })
  }

  #stopped(): void {
    closeEndpoint(this.#hostEnd)
    this.#isConnected = false
    this.network = undefined
    this.scripts = []
    this.confirmRequests.reset()
    this.#hasServed = false
    for (const frontend of this.#frontends.values()) frontend.coreStopped()
  }

  #onReport(report: Exclude<CoreReport, StateReport | Answer>): void {
    const { log, reporter } = this.#services
    const frontend = 'frontend' in report ? this.#frontends.get(report.frontend!) : undefined
    switch (report.type) {
      case 'log':
        return forwardLine(log, report.line)
      case 'scripts':
        this.scripts = report.scripts
        return
      case 'attached':
        return frontend?.attached(report.id)
      case 'rejected':
        return frontend?.rejected(report.id, receiveError(report.error, 'core rejected the frontend'))
      case 'closed':
        return frontend?.linkEnded(report.id)
      case 'latency':
        return (report.frontend === undefined ? this : frontend)?.traffic.addLatency(report.latency)
      case 'overload':
        return reporter.reportOverload(report.label, report.dropped)
      case 'denied': {
        const { type, more, ...event } = report
        // Core has counted it in the log.
        return reporter.emitThrottled(type, event, more)
      }
      case 'slow': {
        const { type, more, ...event } = report
        return reporter.reportThrottled(type, event, more)
      }
      case 'measured':
        this.network = report.network
        return this.#measurement?.resolve(report)
      case 'explained': {
        const question = this.#questions.get(report.id)
        if (report.explained) return question?.resolve(report.explained)
        return question?.reject(receiveError(report.error, 'core could not explain its capabilities'))
      }
      case 'confirm':
        return this.confirmRequests.ask(
          report,
          answer => this.post({ type: 'confirmed', id: report.id, answer }),
          frontend?.takeContext(),
        )
      case 'interrupted':
        return frontend?.interrupted(report)
      case 'withdraw':
        return this.confirmRequests.withdraw(report.id)
      case 'fault': {
        const { label, id } = report
        const error = receiveError(report.error, `frontend ${describeName(label)} sent an invalid frame`)
        reporter.reportFault(label, error)
        // It can have ended long before.
        return id === undefined ? undefined : frontend?.violated(id, error)
      }
      default:
        return assertNever(report)
    }
  }
}

type InProcessCoreData = Omit<CoreWorkerData, 'module' | 'heartbeat' | 'development' | 'sourceMaps'>

/**
 * Core in the calling thread: the same actor as in a worker, behind a port of its own, so the host treats both alike. There is no
 * thread to terminate; terminating closes core.
 */
class InProcessCore extends EventEmitter implements ThreadHandle {
  readonly #hostPort: MessagePort
  readonly #core: Promise<Core>
  #exitCode = 0

  constructor(definition: CoreDefinition, data: InProcessCoreData, takeContext: TakeContext) {
    super()
    const { port1: hostPort, port2: corePort } = new MessageChannel()
    this.#hostPort = hostPort
    hostPort.on('message', report => void this.emit('message', report))
    hostPort.once('close', () => void this.emit('exit', this.#exitCode))
    const report = (message: CoreReport): void => corePort.postMessage(message)
    const ownData = structuredClone(data)
    const getLog = createCoreLog(data.logLevel, line => report({ type: 'log', line }))
    // Core is imported only here, because a host whose core is a worker never needs its code.
    this.#core = import('../core-thread/core.js').then(({ createCore }) =>
      createCore(definition, ownData, getLog, report, takeContext),
    )
    // Reports that were sent before arrive before the close.
    runCoreActor(
      corePort,
      () => this.#core,
      () => this.#close(corePort),
    )
  }

  postMessage(message: unknown, transfer: readonly TransferListItem[] = []): void {
    this.#hostPort.postMessage(message, transfer)
  }

  async terminate(): Promise<void> {
    this.#exitCode = 1
    this.#close(this.#hostPort)
  }

  unref(): void {
    this.#hostPort.unref()
  }

  /** Core can still be in its setup; it is closed afterwards. */
  #close(port: MessagePort): void {
    port.close()
    this.#core.then(
      core => core.close(),
      () => {},
    )
  }
}
