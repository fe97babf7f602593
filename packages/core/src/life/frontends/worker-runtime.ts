// The runtime of a frontend that has a worker: its thread, or the relay of its process.
import type { RelaySockets, SocketOwner } from '@sallyport/process/internal'
import {
  type Answer,
  areTokens,
  createPrinted,
  deadline,
  type FrontendCommand,
  type FrontendReport,
  type FrontendStart,
  getWorkerName,
  type Heartbeat,
  type StateReport,
} from '@sallyport/protocol/internal/contract'
import { BusError, isUnsentError } from '@sallyport/protocol/internal/errors'
import { closeEndpoint, getPorts, type LinkEndpoint, takeOpenEndpoints } from '@sallyport/protocol/internal/link'
import {
  assertNever,
  createDeferred,
  type Deferred,
  isCount,
  isDevelopment,
  isUint8Array,
} from '@sallyport/protocol/internal/util'
import { MAX_SNAPSHOT_BYTES } from '@sallyport/protocol/internal/wire'
import type { WorkerStats } from '../policy.js'
import { createEnd, type Effects, getExit, type LifeContext } from '../judge.js'
import type { Life } from '../table.js'
import type { FrontendTerms, ThreadHandle, WorkerSpec } from '../thread.js'
import type { SupervisedWorker } from '../worker.js'
import { isInspectorOpen } from '../watchdog.js'
import type { FrontendConfig } from './config.js'
import { createOutputSink, type OutputSink, takeReport } from '../workers/output.js'
import { explainSyntax } from '../workers/syntax-errors.js'
import { getClientStart } from './host-runtimes.js'
import type { FrontendHost, FrontendRuntime, RuntimeEvents } from './types.js'

export interface WorkerRuntimeDeps {
  label: string
  module: URL
  config: FrontendConfig
  host: FrontendHost
  events: RuntimeEvents
  terms: FrontendTerms
  /** Of the sockets of a process. */
  owners: readonly SocketOwner[]
}

/** A report whose fields can be anything, also its type: `#receive` ignores those that do not exist. */
type UncheckedReport = { type: Exclude<FrontendReport, StateReport | Answer>['type'] } & Record<
  'directory' | 'error' | 'count' | 'host' | 'hint' | 'more' | 'snapshot' | 'tokens',
  unknown
>

const UNEXPECTED_READ =
  'Node lets this frontend read everything below the working directory. Start the host in an empty directory.'

/** Starts a worker, which loads its module with the first link. The phases of its threads are those of `WorkerSpec`: spawn, reports, a stop or the exit. */
export class WorkerRuntime implements FrontendRuntime {
  /** Of the current thread. */
  load!: ModuleLoad
  sockets: RelaySockets | undefined
  readonly reload?: () => Promise<void>
  readonly #deps: WorkerRuntimeDeps
  readonly #worker: SupervisedWorker
  readonly #start: FrontendStart
  /** The code's ends of links that it might not have closed. */
  #links: readonly LinkEndpoint[] = []
  #firstLoad: ModuleLoad | undefined
  /** In `dev`, a module that fails waits for a change of its files. */
  #isFinalReload = false
  #hasReported = false
  #output!: OutputSink

  constructor(deps: WorkerRuntimeDeps) {
    this.#deps = deps
    const { label, module, config, host } = deps
    const { dev } = host.options
    this.#start = {
      ...getClientStart(label, config, host),
      module: module.href,
      text: config.text,
      ...(config.snapshot && { snapshot: config.snapshot, image: config.image }),
      development: isDevelopment(),
      ...(dev && { sourceMaps: true }),
    }
    if (!config.runsOnce) this.reload = () => this.#reload()
    this.#worker = host.supervisor.start(this.#createSpec())
  }

  get life(): Life {
    return this.#worker.life
  }

  get stats(): WorkerStats {
    return this.#worker.stats
  }

  connect(link: LinkEndpoint): void {
    // Code that has ended meanwhile does not close the earlier ones: its gate would wait for more over them.
    this.#links = [...takeOpenEndpoints(this.#links), link]
    const { scripts } = this.#deps.host.core
    this.#worker.post({ type: 'link', link, scripts } satisfies FrontendCommand, getPorts(link))
  }

  ask(onAnswer: () => void, onEnd?: () => void): void {
    this.#worker.code.ask(onAnswer, onEnd)
  }

  #createSpec(): WorkerSpec {
    const { label, module, config, host, terms } = this.#deps
    const { dev } = host.options
    const { hasProcess } = config.sandbox
    const { taker, readTaken, effects, ...links } = terms
    return {
      name: getWorkerName('frontend', label),
      supervision: config.supervision,
      waitsAfterError: dev && !config.runsOnce,
      isOpening: () => this.load.isOpening,
      // The relay of a process watches the process instead.
      endsIfSilent: !hasProcess,
      ...{ isRelayed: hasProcess === true, taker, readTaken },
      links: {
        ...links,
        // A process's pipe cannot be connected to another link.
        keepsLink: hasProcess,
        isSpent: () => this.sockets?.areFree === false,
      },
      spawn: heartbeat => this.#spawn(heartbeat),
      // Outside `dev`, an error of a module that has been loaded is not one of its syntax.
      explainError: (error, signal) => (this.load.isOver && !dev ? undefined : explainSyntax(error, module, signal)),
      onState: state => {
        this.load.launcher = undefined
        host.log.debug({ worker: 'frontend', label, state }, 'state')
      },
      onReport: report => this.#receive(report),
      // Core hears of an end before the user of the bus.
      effects: [effects, this.#effects, host.reporter.getEffects('frontend', label)],
    }
  }

  #spawn(heartbeat: Heartbeat | undefined): ThreadHandle {
    const { label, config, host, owners } = this.#deps
    // A reload can replace a thread that is still loading.
    if (!this.#firstLoad || this.load.isOver)
      this.load = new ModuleLoad(label, config.loaded && (!this.#firstLoad || this.#isFinalReload))
    this.#firstLoad ??= this.load
    this.#isFinalReload = false
    const { wall, hasProcess } = config.sandbox
    const printed = hasProcess ? undefined : createPrinted()
    const thread = config.sandbox.spawn({ ...this.#start, ...(printed && { printed }), heartbeat }, host, owners)
    if (wall !== 'none' && !thread.wasStartedAhead) this.load.launcher = wall
    const fields = { worker: 'frontend', label }
    this.#output = createOutputSink(fields, host.log, host.options.log, config.onStdio, printed)
    thread.on('exit', this.#output.end)
    this.sockets = thread.sockets
    thread.broker?.on('message', report => this.#reportDenied(report))
    return thread
  }

  #receive(report: unknown): void {
    const { label, config, host, events } = this.#deps
    // Only the first report is sent before the frontend's own code runs. Later ones can be forged.
    const unchecked = (report ?? {}) as UncheckedReport
    const { type, directory, error, count, snapshot, tokens } = unchecked
    switch (type) {
      case 'loaded':
      case 'synchronized':
        return this.load.reach(type)
      case 'output':
        takeReport(report, this.#output, { postMessage: request => this.#worker.post(request) })
        break
      case 'unsent':
        if (isCount(count, 1)) events.unsent(count)
        break
      case 'unhandled':
        events.unhandled(error)
        break
      case 'suspended':
        if (isUint8Array(snapshot) && snapshot.byteLength <= MAX_SNAPSHOT_BYTES && areTokens(tokens))
          events.suspended({ snapshot, tokens })
        break
      case 'net-denied':
        // A relay passes on no such report of its process.
        if (config.sandbox.hasProcess) this.#reportDenied(report)
        break
      case 'unexpected-read':
        if (typeof directory !== 'string' || this.#hasReported) break
        host.log.warn({ label, directory }, UNEXPECTED_READ)
        break
      default:
        assertNever(type)
    }
    this.#hasReported = true
  }

  /** @param report - of a relay or a broker, which a frontend cannot forge */
  #reportDenied(report: unknown): void {
    const { host: wanted, hint, more } = report as Extract<FrontendReport, { type: 'net-denied' }>
    const { label, host } = this.#deps
    host.reporter.reportThrottled('denied', { label, command: `net ${wanted}`, hint }, more)
  }

  get #effects(): Partial<Effects> {
    const { label, config, host } = this.#deps
    const ended = ({ error }: LifeContext): void => {
      this.#closeLinks()
      this.load.fail(error)
    }
    return {
      renew: ({ error }) => {
        this.#closeLinks()
        // A load that is not over goes on in the next thread.
        if (this.load.isOver) this.load.fail(undefined)
        // A reload is no failure, but what was lost by it is one.
        if (isUnsentError(error)) host.reporter.reportFault(label, error!)
      },
      ...{ backOff: ended, wait: ended, exit: ended },
      over: context => {
        // The caller of `open` gets the error of the first start, and that of `run` each.
        if (config.runsOnce || (this.load === this.#firstLoad && this.load.isOpening)) return
        const exit = getExit(context)
        host.reporter.reportExit('frontend', label, exit)
        if (context.goal !== 'stop') host.reporter.reportEnd(label, exit.error, exit.code)
      },
    }
  }

  async #reload(): Promise<void> {
    const { config, host } = this.#deps
    this.#isFinalReload = !host.options.dev
    await this.#worker.reload()
    if (!config.loaded) return
    try {
      await this.load.wait(config.loadTimeout)
    } catch (error) {
      // Without effect on a worker that has stopped.
      this.#worker.terminate(error as Error)
      throw error
    }
  }

  #closeLinks(): void {
    for (const link of this.#links) closeEndpoint(link)
    this.#links = []
  }
}

/** The module has been evaluated; core has the events that it emitted. */
export type LoadStep = 'loaded' | 'synchronized'

export class ModuleLoad {
  readonly steps: Record<LoadStep, Deferred<void>> = { loaded: createDeferred(), synchronized: createDeferred() }
  /** Of a process that has not said anything yet. */
  launcher: string | undefined
  readonly #name: string
  readonly #isFirstTry: boolean
  #isLoaded = false
  #hasFailed = false

  /** @param isFirstTry - whether an error is final, because the caller that waits for the module gets it */
  constructor(label: string, isFirstTry: boolean) {
    this.#name = getWorkerName('frontend', label)
    this.#isFirstTry = isFirstTry
    for (const { promise } of Object.values(this.steps)) promise.catch(() => {})
  }

  get isOpening(): boolean {
    return this.#isFirstTry && !this.#isLoaded
  }

  get isOver(): boolean {
    return this.#isLoaded || this.#hasFailed
  }

  reach(step: LoadStep): void {
    if (step === 'loaded') this.#isLoaded = true
    this.steps[step].resolve()
  }

  /** Ends the wait: the thread has stopped. */
  fail(error: Error | undefined): void {
    this.#hasFailed = true
    const reason =
      error ?? createEnd(this.#name, 'Disconnected', 'exited before its module was loaded', { delivered: 'no' })
    for (const { reject } of Object.values(this.steps)) reject(reason)
  }

  /**
   * Resolves once the module has been evaluated. Rejects if the thread stops before that, and with `Timeout` after `timeout` milliseconds:
   * the caller ends the thread then. A module that waits at a breakpoint has all the time it needs.
   *
   * @param timeout - `undefined` if its caller has a deadline for it
   */
  async wait(timeout: number | undefined): Promise<void> {
    if (timeout === undefined) return this.steps.loaded.promise
    const onLate = (): void => {
      if (isInspectorOpen()) return watch()
      if (!this.#isLoaded) this.steps.loaded.reject(this.#createLateError(timeout))
      this.reach('synchronized')
    }
    let end = (): void => {}
    const watch = (): void => void (end = deadline(timeout, onLate))
    watch()
    const stop = (): void => end()
    this.steps.synchronized.promise.then(stop, stop)
    await this.steps.loaded.promise
  }

  #createLateError(timeout: number): BusError {
    if (this.launcher !== undefined) {
      const remedy = 'See what it prints with `onStdio`, or pass a longer `loadTimeout`'
      const what = `its launcher ${JSON.stringify(this.launcher)} has not started the process`
      return new BusError('Timeout', `${this.#name}: ${what} within ${timeout} ms. ${remedy}`)
    }
    const remedy = 'Pass a longer `loadTimeout`, or `loaded: false` for a module whose top level never ends'
    return createEnd(this.#name, 'Timeout', `did not evaluate its module within ${timeout} ms. ${remedy}`)
  }
}
