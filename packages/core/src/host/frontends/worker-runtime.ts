// The runtime of a frontend that has a worker: its thread, or the relay of its process.
import type { RelaySockets, SocketOwner } from '@sallyport/process/internal'
import {
  type Answer,
  areTokens,
  deadline,
  type FrontendCommand,
  type FrontendReport,
  type FrontendStart,
  type StateReport,
} from '@sallyport/protocol/internal/contract'
import { BusError, isUnsentError, receiveError } from '@sallyport/protocol/internal/errors'
import { closeEndpoint, getPorts, type LinkEndpoint } from '@sallyport/protocol/internal/link'
import {
  assertNever,
  createDeferred,
  type Deferred,
  isDevelopment,
  isUint8Array,
} from '@sallyport/protocol/internal/util'
import { MAX_SNAPSHOT_BYTES } from '@sallyport/protocol/internal/wire'
import { getWorkerName } from '../life/policy.js'
import type { FrontendTerms } from '../life/thread.js'
import { isInspectorOpen } from '../life/watchdog.js'
import type { FrontendConfig } from '../options/config.js'
import { createOutputSink, type OutputSink, takeReport } from '../workers/output.js'
import { explainSyntax } from '../workers/syntax-errors.js'
import { getClientStart } from './host-runtimes.js'
import { describeEnd } from '../life/rules.js'
import type { FrontendHost, FrontendRuntime, RuntimeEvents } from './types.js'

export interface WorkerRuntimeDeps {
  label: string
  module: URL
  config: FrontendConfig
  host: FrontendHost
}

export interface WorkerRuntime extends FrontendRuntime {
  readonly load: ModuleLoad
}

/** A report whose fields can be anything, also its type: `onReport` ignores those that do not exist. */
type UncheckedReport = { type: Exclude<FrontendReport, StateReport | Answer>['type'] } & Record<
  'directory' | 'error' | 'count' | 'host' | 'hint' | 'more' | 'snapshot' | 'tokens',
  unknown
>

const UNEXPECTED_READ =
  'Node lets this frontend read everything below the working directory. Start the host in an empty directory.'

/**
 * Starts a worker, which loads its module with the first link.
 *
 * @param owners - of the sockets of a process
 */
export function createWorkerRuntime(
  deps: WorkerRuntimeDeps,
  events: RuntimeEvents,
  terms: FrontendTerms,
  owners: readonly SocketOwner[],
): WorkerRuntime {
  const { label, module, config, host } = deps
  const { supervisor, log, reporter, options } = host
  const { dev } = options
  const { hasProcess, stopTimeout } = config.sandbox
  const start: FrontendStart = {
    ...getClientStart(label, config, host),
    module: module.href,
    text: config.text,
    ...(config.snapshot && { snapshot: config.snapshot }),
    development: isDevelopment(),
    ...(dev && { sourceMaps: true }),
  }
  let link: LinkEndpoint | undefined
  let sockets: RelaySockets | undefined
  const closeLink = (): void => {
    if (link) closeEndpoint(link)
    link = undefined
  }
  let load!: ModuleLoad
  let firstLoad: ModuleLoad | undefined
  let isFinalReload = false
  let hasReported = false
  let output!: OutputSink
  /** @param report - of a relay or a broker, which a frontend cannot forge */
  const reportDenied = (report: unknown): void => {
    const { host: wanted, hint, more } = report as Extract<FrontendReport, { type: 'net-denied' }>
    reporter.reportThrottled('denied', { label, command: `net ${wanted}`, hint }, more)
  }
  const worker = supervisor.start({
    name: getWorkerName('frontend', label),
    supervision: config.supervision,
    waitsAfterError: dev && !config.runsOnce,
    isOpening: () => load.isOpening,
    // The relay of a process watches the process instead.
    endsIfSilent: !hasProcess,
    ...(stopTimeout !== undefined && { stopTimeout }),
    links: {
      ...terms,
      // A process's pipe cannot be connected to another link.
      keepsLink: hasProcess,
      isSpent: () => sockets?.areFree === false,
    },
    spawn(heartbeat) {
      // A reload can replace a thread that is still loading.
      if (!firstLoad || load.isOver) load = new ModuleLoad(config.loaded && (!firstLoad || isFinalReload))
      firstLoad ??= load
      isFinalReload = false
      const thread = config.sandbox.spawn({ ...start, heartbeat }, host, owners)
      output = createOutputSink({ worker: 'frontend', label }, log, options.log, config.onStdio)
      thread.on('exit', output.end)
      sockets = thread.sockets
      thread.broker?.on('message', reportDenied)
      return thread
    },
    // Outside `dev`, an error of a module that has been loaded is not one of its syntax.
    explainError: (error, signal) => (load.isOver && !dev ? undefined : explainSyntax(error, module, signal)),
    onState: state => log.debug({ worker: 'frontend', label, state }, 'state'),
    onReport(report) {
      // Only the first report is sent before the frontend's own code runs. Later ones can be forged.
      const unchecked = (report ?? {}) as UncheckedReport
      const { type, directory, error, count, snapshot, tokens } = unchecked
      switch (type) {
        case 'loaded':
        case 'synchronized':
          return load.reach(type)
        case 'output':
          takeReport(report, output, { postMessage: request => worker.post(request) })
          break
        case 'unsent':
          if (isCount(count)) events.unsent(count)
          break
        case 'unhandled':
          events.unhandled(receiveError(error, 'A promise rejected'))
          break
        case 'suspended':
          if (isUint8Array(snapshot) && snapshot.byteLength <= MAX_SNAPSHOT_BYTES && areTokens(tokens))
            events.suspended({ snapshot, tokens })
          break
        case 'net-denied':
          // A relay passes on no such report of its process.
          if (hasProcess) reportDenied(report)
          break
        case 'unexpected-read':
          if (typeof directory !== 'string' || hasReported) break
          log.warn({ label, directory }, UNEXPECTED_READ)
          break
        default:
          assertNever(type)
      }
      hasReported = true
    },
    onRestarted: events.restarted,
    onStopped(restart, context) {
      const { obituary, error } = context
      closeLink()
      // A load that is not over goes on in the next thread.
      if (restart || load.isOver) load.fail(restart?.error)
      // After an error, `dev` waits for a change of its files.
      const next = !restart || restart.delay !== undefined ? 'restart' : 'wait'
      const hasEnd = restart !== undefined || obituary?.ranCode === false
      events.stopped(hasEnd ? describeEnd(label, error, obituary) : undefined, next, context)
      // A reload is no failure, but what was lost by it is one.
      if (!restart && isUnsentError(error)) reporter.reportFault(label, error!)
      reporter.reportRestart('frontend', label, restart)
    },
    onExit({ error }, context) {
      closeLink()
      load.fail(error)
      // A reload at the close of the bus has nothing to begin again, and is a close.
      const isOrder = context.goal === 'stop' || (context.goal === 'reload' && !error)
      events.stopped(isOrder ? undefined : describeEnd(label, error, context.obituary), 'none', context)
    },
    onKilled: () => reporter.reportStopTimeout('frontend', label),
  })
  void worker.exited.then(exit => {
    const { error, code } = exit
    events.exited(error)
    // The caller of `open` gets the error of the first start, and that of `run` each.
    if (config.runsOnce || (load === firstLoad && load.isOpening)) return
    reporter.reportExit('frontend', label, exit)
    if (worker.life.context.goal !== 'stop') reporter.reportEnd(label, error, code)
  })
  const reload = async (): Promise<void> => {
    // In `dev`, a module that fails waits for a change of its files.
    isFinalReload = !dev
    await worker.reload()
    if (!config.loaded) return
    try {
      await load.wait(label, config.loadTimeout)
    } catch (error) {
      // Without effect on a worker that has stopped.
      worker.terminate(error as Error)
      throw error
    }
  }
  return {
    life: worker.life,
    get sockets() {
      return sockets
    },
    get load() {
      return load
    },
    get stats() {
      return worker.stats
    },
    connect(next) {
      link = next
      worker.post({ type: 'link', link, scripts: host.core.scripts } satisfies FrontendCommand, getPorts(link))
    },
    ask: onAnswer => worker.code.ask(onAnswer),
    ...(!config.runsOnce && { reload }),
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0

/** The module has been evaluated; core has the events that it emitted. */
export type LoadStep = 'loaded' | 'synchronized'

export class ModuleLoad {
  readonly steps: Record<LoadStep, Deferred<void>> = { loaded: createDeferred(), synchronized: createDeferred() }
  readonly #isFirstTry: boolean
  #isLoaded = false
  #hasFailed = false

  /** @param isFirstTry - whether an error is final, because the caller that waits for the module gets it */
  constructor(isFirstTry: boolean) {
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
    const message = 'The frontend exited before its module was loaded'
    const reason = error ?? new BusError('Disconnected', message, { data: { delivered: 'no' } })
    for (const { reject } of Object.values(this.steps)) reject(reason)
  }

  /**
   * Resolves once the module has been evaluated. Rejects if the thread stops before that, and with `Timeout` after `timeout` milliseconds:
   * the caller ends the thread then. A module that waits at a breakpoint has all the time it needs.
   */
  async wait(label: string, timeout: number): Promise<void> {
    const onLate = (): void => {
      if (isInspectorOpen()) return watch()
      const remedy = 'Pass a longer `loadTimeout`, or `loaded: false` for a module whose top level never ends'
      const late = `${getWorkerName('frontend', label)} did not evaluate its module within ${timeout} ms. ${remedy}`
      if (!this.#isLoaded) this.steps.loaded.reject(new BusError('Timeout', late))
      this.reach('synchronized')
    }
    let end = (): void => {}
    const watch = (): void => void (end = deadline(timeout, onLate))
    watch()
    const stop = (): void => end()
    this.steps.synchronized.promise.then(stop, stop)
    await this.steps.loaded.promise
  }
}
