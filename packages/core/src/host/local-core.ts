// The host's handle of a core on this machine: a supervised worker, or core in the host's thread. It has the host's own link, and keeps
// capability changes, which also apply after a restart.
import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort, type TransferListItem } from 'node:worker_threads'
import { type Client, createReconnectingClient, reconnectClient } from '@sallyport/frontend/internal'
import {
  BusError,
  closeEndpoint,
  createDeferred,
  createLinkEndpoints,
  type Deferred,
  describeName,
  getPorts,
  isDevelopment,
  openLink,
  receiveError,
} from '@sallyport/protocol/internal'
import type { CodecName, InitScript, LifecycleState, LinkEndpoint } from '@sallyport/protocol/internal'
import type { ExplainedFrontend } from '../acl/explain.js'
import type { CapabilityChanges } from '../acl/types.js'
import type { CoreDefinition } from '../api/define.js'
import type {
  LinkOffer,
  CoreCommand,
  CoreReport,
  CoreWorkerData,
  Measurement,
  NetworkStats,
} from '../contract/host-core.js'
import { createCoreLog, runCoreActor } from '../core-thread/core-actor.js'
import type { Core } from '../core-thread/core.js'
import { getHeapLimit } from '../shared/heap-limit.js'
import type { Frontends } from './frontends/frontends.js'
import type { CoreEndpoint, HostServices } from './frontends/types.js'
import type { BusConfig } from './options/resolve.js'
import { HostConfirmRequests } from './reporting/confirm.js'
import { forwardLine } from './reporting/log.js'
import { SessionTraffic } from './reporting/stats.js'
import type { SupervisedWorker } from './supervision/supervisor.js'
import type { Restart, ThreadHandle } from './supervision/worker-actor.js'
import { isInternalError } from './workers/internal-error.js'
import { pipeOutput } from './workers/output.js'
import { startCoreWorker } from './workers/core-worker.js'
import type { SpareWorker } from './workers/spare-worker.js'
import { explainSyntax } from './workers/syntax-errors.js'

/** Time for core to answer a request for measurements; core answers immediately unless it is busy. */
const MEASURE_TIMEOUT_MS = 250
/** Time for core to answer a question about capabilities. */
const EXPLAIN_TIMEOUT_MS = 2000

export class LocalCore implements CoreEndpoint {
  readonly worker: SupervisedWorker
  /** The host's own client. It reconnects when core restarts. */
  readonly client: Client
  readonly changes: CapabilityChanges = { added: new Map(), removed: new Set() }
  readonly isInProcess: boolean
  readonly isRemote = false
  /** True if core also has frontends of other processes. */
  readonly hasNetwork: boolean
  frontends: Frontends | undefined
  scripts: readonly InitScript[] = []
  readonly traffic: SessionTraffic = new SessionTraffic()
  /** Statistics of core's network, as of the latest measurement. */
  network: NetworkStats | undefined
  readonly #codec: CodecName
  readonly #services: HostServices
  readonly #confirmRequests: HostConfirmRequests
  #acceptsLinks = true
  #measurements: ((measurement: Measurement) => void)[] = []
  /** Questions about capabilities, by number. */
  readonly #questions = new Map<number, Deferred<ExplainedFrontend>>()
  #lastQuestion = 0
  /** Changes whenever core stops or becomes ready. */
  #incarnation = 0
  /** This end of the host's link to a core that is not ready yet. */
  #nextHostEnd: LinkEndpoint | undefined
  /** Number of callers that wait for frontends to load: `createBus` is the first one. */
  #holds = 1
  /** Resolves once the host's client is connected to the current core. */
  #reconnected: Promise<void> | undefined

  /** @param early - a worker for the first core */
  constructor(options: BusConfig, services: HostServices, early?: SpareWorker) {
    this.#codec = options.codec
    this.#services = services
    this.isInProcess = !(options.core instanceof URL)
    this.hasNetwork = options.network !== undefined
    this.#confirmRequests = new HostConfirmRequests(options.onConfirm, services.log)
    this.worker = this.#start(options, early)
    void this.worker.exited.then(() => this.#confirmRequests.reset())
    const client = { label: 'host', codec: options.codec, timeout: options.calls.commandTimeout }
    this.client = createReconnectingClient(openLink(this.#attachHost(), true), client)
  }

  get isUp(): boolean {
    return this.#acceptsLinks && this.worker.isUp
  }

  attach(offer: LinkOffer): void {
    const { endpoint, keyPort } = offer
    const ports = [...getPorts(endpoint), ...(keyPort ? [keyPort] : [])]
    this.worker.post({ type: 'attach', offer } satisfies CoreCommand, ports)
  }

  post(command: CoreCommand): void {
    this.worker.post(command)
  }

  /** Resolves once the host is connected to the restarted core. */
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

  /** Ends one `holdEvents`, or that of the start. */
  releaseEvents(): void {
    this.#holds -= 1
    if (this.#holds === 0) this.post({ type: 'hold', holds: false })
  }

  /** Updates the metrics of all links. Resolves with `undefined` if core does not answer in time. */
  measure(watchCalls?: boolean): Promise<Measurement | undefined> {
    if (!this.worker.isUp && this.worker.stats.state !== 'draining') return Promise.resolve(undefined)
    return new Promise(resolve => {
      const timer = setTimeout(resolve, MEASURE_TIMEOUT_MS, undefined)
      this.#measurements.push(measurement => {
        clearTimeout(timer)
        resolve(measurement)
      })
      this.post({ type: 'measure', watchCalls })
    })
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
    const timer = setTimeout(onLate, EXPLAIN_TIMEOUT_MS)
    this.post({ type: 'explain', id, label })
    try {
      return await question.promise
    } finally {
      clearTimeout(timer)
      this.#questions.delete(id)
    }
  }

  #start(options: BusConfig, early: SpareWorker | undefined): SupervisedWorker {
    const { core, dev, workers, calls, coreSupervision, pattern, acl, appInfo, resources, plugins, network } = options
    const { supervisor, log, reporter } = this.#services
    const getData = (): InProcessCoreData => ({
      ...{
        pattern,
        calls,
        acl,
        changes: this.changes,
        appInfo,
        resources: resources?.href,
        plugins,
        logLevel: log.level,
      },
      network: network && { module: network.module.href, options: network.options },
      holdsEvents: this.#holds > 0,
      poolLimits: { maxOldGenerationSizeMb: getHeapLimit() },
    })
    return supervisor.start({
      name: 'core',
      // A watchdog in this thread cannot see that this thread is stuck.
      supervision: core instanceof URL ? coreSupervision : { ...coreSupervision, heartbeat: false },
      hasStartTimeout: true,
      waitsAfterError: dev,
      spawn(heartbeat) {
        if (!(core instanceof URL)) return new InProcessCore(core, getData())
        const stdio = dev ? { stdout: true, stderr: true } : {}
        const data = { ...getData(), module: core.href, development: isDevelopment(), sourceMaps: dev, heartbeat }
        const worker = startCoreWorker(data, early, workers.core, stdio)
        if (dev) pipeOutput(worker, { worker: 'core', label: 'core' }, log, options.log)
        return worker
      },
      // Outside `dev`, an error of a module that has been loaded is not one of its syntax.
      ...(core instanceof URL && {
        explainError: (error, signal) =>
          dev || this.worker.stats.state === 'starting' ? explainSyntax(error, core, signal) : undefined,
      }),
      chargeExit: error => isInternalError(error) && this.frontends?.charge(error) === true,
      onState: state => this.#onState(state),
      onReport: report => this.#onReport(report as CoreReport),
      onRestarted: () => (this.#nextHostEnd = this.#attachHost()),
      onStopped: restart => this.#onStopped(restart),
      onKilled: () => reporter.reportStopTimeout('core', 'core'),
    })
  }

  #attachHost(): LinkEndpoint {
    const [coreEnd, hostEnd] = createLinkEndpoints('port')
    const metrics = this.traffic.attach()
    this.attach({ label: undefined, codec: this.#codec, endpoint: coreEnd, id: 0, metrics })
    return hostEnd
  }

  #onState(state: LifecycleState): void {
    this.#services.log.debug({ worker: 'core', state }, 'state')
    const hostEnd = this.#nextHostEnd
    if (state !== 'ready' || !hostEnd) return
    this.#nextHostEnd = undefined
    const incarnation = ++this.#incarnation
    // Frontends are connected after the host, so that the host misses none of their events.
    this.#reconnected = reconnectClient(this.client, openLink(hostEnd, true)).then(() => {
      if (!this.worker.isUp || incarnation !== this.#incarnation) return
      this.#acceptsLinks = true
      this.frontends?.coreStarted()
    })
  }

  #onStopped(restart: Restart | undefined): void {
    this.#acceptsLinks = false
    this.network = undefined
    this.scripts = []
    this.#incarnation += 1
    if (this.#nextHostEnd) closeEndpoint(this.#nextHostEnd)
    this.#nextHostEnd = undefined
    this.#confirmRequests.reset()
    this.frontends?.coreStopped()
    this.#services.reporter.reportRestart('core', 'core', restart)
  }

  #onReport(report: CoreReport): void {
    const { log, reporter } = this.#services
    if (report.type === 'log') forwardLine(log, report.line)
    else if (report.type === 'scripts') this.scripts = report.scripts
    else if (report.type === 'attached') this.frontends?.get(report.label)?.attached(report.id)
    else if (report.type === 'rejected') {
      const error = receiveError(report.error, 'core rejected the frontend')
      this.frontends?.get(report.label)?.sendToLink(report.id, 'rejected', error)
    } else if (report.type === 'closed') this.frontends?.get(report.label)?.sendToLink(report.id, 'closed')
    else if (report.type === 'latency') {
      const { label, id, latency } = report
      if (label === undefined) this.traffic.addLatency(latency)
      else this.frontends?.get(label)?.timed(id, latency)
    } else if (report.type === 'overload') reporter.reportOverload(report.label, report.dropped)
    else if (report.type === 'denied' || report.type === 'slow') {
      const { type, more, ...event } = report
      reporter.reportThrottled(type, event, more)
    } else if (report.type === 'measured') {
      this.network = report.network
      this.#measurements.splice(0).forEach(resolve => resolve(report))
    } else if (report.type === 'explained') {
      const question = this.#questions.get(report.id)
      if (report.explained) question?.resolve(report.explained)
      else question?.reject(receiveError(report.error, 'core could not explain its capabilities'))
    } else if (report.type === 'withdraw') this.#confirmRequests.withdraw(report.id)
    else if (report.type === 'confirm') {
      this.#confirmRequests.ask(report, answer => this.post({ type: 'confirmed', id: report.id, answer }))
    } else if (report.type === 'fault') {
      const { label, id } = report
      const error = receiveError(report.error, `frontend ${describeName(label)} sent an invalid frame`)
      reporter.reportFault(label, error)
      if (id !== undefined) this.frontends?.protocolError(label, id, error)
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

  constructor(definition: CoreDefinition, data: InProcessCoreData) {
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
      createCore(definition, ownData, getLog, report),
    )
    // Reports that were sent before arrive before the close.
    const onEnd = (): void => this.#close(corePort)
    runCoreActor(corePort, () => this.#core, onEnd)
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
