// Core, as the host holds it: the thread, which may be another after a while, and the host's own link to it. What was changed at
// run time holds for each.
import type { MessagePort, Worker } from 'node:worker_threads'
import { type Client, createReconnectingClient, reconnectClient } from '@sallyport/frontend/client'
import { BusError, createLinkEndpoints, type LinkEndpoint, openLink, receiveError } from '@sallyport/protocol'
import type { LifecycleState } from '@sallyport/protocol/actor'
import type { CapabilityChanges } from '../acl/types.js'
import type {
  Attachment,
  CoreCommand,
  CoreReport,
  CoreWorkerData,
  NetworkStats,
  RunningCall,
} from '../contract/control.js'
import { InProcessCore } from './core-in-process.js'
import type { CoreEndpoint } from './frontends/types.js'
import type { ResolvedOptions } from './options/types.js'
import { HostConfirmRequests } from './reporting/confirm.js'
import type { BusReporter } from './reporting/events.js'
import { forwardLine, type Logger } from './reporting/log.js'
import { SessionTraffic } from './reporting/stats.js'
import type { SupervisedWorker, Supervisor } from './supervision/supervisor.js'
import { labelOutput } from './workers/output.js'
import { findEntry, spawnWorker, type WorkerMaker } from './workers/spawn.js'
import { explainSyntax } from './workers/syntax-errors.js'

// Starts the worker of core. In development what it prints is labelled.

function spawnCore(data: CoreWorkerData, maker: WorkerMaker | undefined, labelled: boolean): Worker {
  const entry = maker ?? findEntry('#worker')
  const worker = spawnWorker(entry, data, [], labelled ? { stdout: true, stderr: true } : {})
  if (labelled) labelOutput(worker, 'core')
  return worker
}

/** Milliseconds for what is ready where core is not busy. */
const PATIENCE_MS = 250

export interface CoreHost {
  supervisor: Supervisor
  log: Logger
  reporter: BusReporter
  /** Core is there again, and the host listens: it takes links. */
  up(): void
  down(): void
  /** Core has the link that it was given under this number. */
  attached(label: string, link: number): void
  /** Of this frontend, the link of this number has ended. */
  closed(label: string, link: number): void
  /** This frontend has sent, over that link, what no honest one would. */
  broken(label: string, link: number, error: Error): void
}

export class CoreThread implements CoreEndpoint {
  readonly worker: SupervisedWorker
  readonly client: Client
  readonly changes: CapabilityChanges = { added: new Map(), removed: new Set(), decided: false }
  readonly isHere: boolean
  readonly isFar = false
  readonly #host: CoreHost
  readonly #confirmations: HostConfirmRequests
  /** Of the host's own link. */
  readonly traffic: SessionTraffic = new SessionTraffic()
  #takesLinks = true
  /** What it tells of its network, as it was when core was last asked. */
  network: NetworkStats | undefined
  #measures: ((running: readonly RunningCall[]) => void)[] = []
  #incarnation = 0
  /** The host's own link to the latest one. */
  #relinked: Promise<void> | undefined
  /** This end of the host's link, where core is not ready for it yet. */
  #next: LinkEndpoint | undefined

  constructor(options: ResolvedOptions, host: CoreHost) {
    this.#host = host
    this.isHere = !(options.core instanceof URL)
    this.#confirmations = new HostConfirmRequests(options.onConfirm, host.log)
    this.worker = this.#start(options)
    void this.worker.exited.then(() => this.#confirmations.reset())
    this.client = createReconnectingClient(openLink(this.#attachHost(), true), {
      label: 'host',
      timeout: options.calls.timeout,
    })
  }

  get isUp(): boolean {
    return this.#takesLinks && this.worker.isUp
  }

  attach(attachment: Attachment): void {
    const { end, keyPort } = attachment
    const ports: MessagePort[] = keyPort ? [end.port, keyPort] : [end.port]
    this.worker.post({ type: 'attach', attachment } satisfies CoreCommand, ports)
  }

  post(command: CoreCommand): void {
    this.worker.post(command)
  }

  /** Ends it, and loads its module anew. @throws BusError what keeps it from being ready again; `InvalidParams` without a module */
  async reload(): Promise<void> {
    if (this.isHere)
      throw new BusError('InvalidParams', 'bus.reload: core runs in this thread, and has no module to load again')
    await this.worker.reload()
    await this.#relinked
  }

  /** Brings the meters of all links up to date, and gives the calls that run: `undefined` where core does not answer soon. */
  measure(): Promise<readonly RunningCall[] | undefined> {
    if (!this.worker.isUp && this.worker.stats.state !== 'draining') return Promise.resolve(undefined)
    return new Promise(resolve => {
      const timer = setTimeout(resolve, PATIENCE_MS, undefined)
      this.#measures.push(running => {
        clearTimeout(timer)
        resolve(running)
      })
      this.post({ type: 'measure' })
    })
  }

  #attachHost(): LinkEndpoint {
    const [there, here] = createLinkEndpoints('port')
    const meter = this.traffic.attach()
    this.attach({ label: undefined, codec: 'json', end: there, id: 0, cipher: true, meter })
    return here
  }

  #start({
    core,
    dev,
    workers,
    calls,
    supervision,
    pattern,
    isolation,
    acl,
    appInfo,
    plugins,
    network,
  }: ResolvedOptions): SupervisedWorker {
    const { log, reporter, supervisor } = this.#host
    const { maxRecordAge } = isolation
    const data = {
      ...{ pattern, calls, maxRecordAge, acl, changes: this.changes, appInfo, plugins, logLevel: log.level },
      network: network && { module: network.module.href, options: network.options },
    }
    return supervisor.start({
      name: 'core',
      // What looks after a thread that is stuck would be stuck with this one.
      supervision: core instanceof URL ? supervision.core : { ...supervision.core, heartbeat: false },
      hasStartTimeout: true,
      waitsAfterError: dev,
      spawn: heartbeat =>
        core instanceof URL
          ? spawnCore({ ...data, module: core.href, sourceMaps: dev, heartbeat }, workers.core, dev)
          : new InProcessCore(core, data),
      ...(dev && core instanceof URL && { explainError: (error, signal) => explainSyntax(error, core, signal) }),
      onState: state => this.#entered(state),
      onReport: report => this.#heard(report as CoreReport),
      onRestarted: () => (this.#next = this.#attachHost()),
      onStopped: restart => {
        this.#takesLinks = false
        this.network = undefined
        this.#incarnation += 1
        this.#next?.port.close()
        this.#next = undefined
        this.#confirmations.reset()
        this.#host.down()
        reporter.reportRestart('core', 'core', restart)
      },
      onKilled: () => reporter.reportStopTimeout('core', 'core'),
    })
  }

  #entered(state: LifecycleState): void {
    this.#host.log.debug({ actor: 'core', state }, 'state')
    const end = this.#next
    if (state !== 'ready' || !end) return
    this.#next = undefined
    const incarnation = ++this.#incarnation
    // The host hears what frontends tell as soon as they can.
    this.#relinked = reconnectClient(this.client, openLink(end, true)).then(() => {
      if (!this.worker.isUp || incarnation !== this.#incarnation) return
      this.#takesLinks = true
      this.#host.up()
    })
  }

  #measured({ running, network }: Extract<CoreReport, { type: 'measured' }>): void {
    this.network = network
    this.#measures.splice(0).forEach(measured => measured(running))
  }

  #heard(told: CoreReport): void {
    const { log, reporter, attached, closed, broken } = this.#host
    if (told.type === 'log') forwardLine(log, told.line)
    else if (told.type === 'attached') attached(told.label, told.id)
    else if (told.type === 'closed') closed(told.label, told.id)
    else if (told.type === 'denied') reporter.reportDenial(told.label, told.command, told.more)
    else if (told.type === 'overload') reporter.reportOverload(told.label, told.dropped)
    else if (told.type === 'slow') reporter.reportSlowCall(told.label, told.command, told.ms, told.more)
    else if (told.type === 'measured') this.#measured(told)
    else if (told.type === 'withdraw') this.#confirmations.withdraw(told.id)
    else if (told.type === 'confirm') {
      const { id } = told
      this.#confirmations.ask(told, agreed => this.post({ type: 'confirmed', id, agreed }))
    } else if (told.type === 'fault') {
      const error = receiveError(told.error, 'a frontend has sent what is no frame')
      reporter.reportFault(told.label, error)
      if (told.id !== undefined) broken(told.label, told.id, error)
    }
  }
}
