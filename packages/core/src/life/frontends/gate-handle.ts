// A frontend's gate: an isolation worker between the frontend and core. Each session gives it a link from the frontend to core, and a
// private port over which core sends the session's key.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { BusError, describeName, receiveError } from '@sallyport/protocol/internal/errors'
import { getPorts } from '@sallyport/protocol/internal/link'
import { assertNever, isDevelopment } from '@sallyport/protocol/internal/util'
import {
  type GateCommand,
  type GateReport,
  type GateTimes,
  type GateWorkerData,
  getWorkerName,
  type Heartbeat,
  type Peer,
} from '@sallyport/protocol/internal/contract'
import type { LinkEndpoint } from '@sallyport/protocol/internal/link'
import { createLatency } from '../../shared/metrics.js'
import { isConfirmed, answerConfirm } from '../reporting/confirm.js'
import { type GateStats, getLatency } from '../reporting/stats.js'
import { resolveSupervision, type SupervisionConfig } from '../policy.js'
import { watchCounter } from '../watchdog.js'
import { type Effects, getExit, type WorkerExit } from '../judge.js'
import type { ThreadHandle } from '../thread.js'
import type { SupervisedWorker } from '../worker.js'
import { type ThrottledLines, throttleLines } from '../workers/output.js'
import type { HostConfig } from './config.js'
import { HostServices } from './services.js'
import { ThreadMember } from '../workers/shared-threads.js'

export interface GateEvents {
  /** True for the gate of a run, whose end is the error of its caller, and is not reported. */
  readonly isOfRun?: boolean
  /** True once the frontend is being closed: the gate stops after it, and does not start again. */
  isClosing(): boolean
  /** True if a call has succeeded since the current gate began. */
  hasServed(): boolean
  /** Core, which takes what it passes on. */
  readonly taker?: Peer
  /** See `WorkerSpec`. */
  readTaken?(): unknown
  /** Up: it needs new links. Ready: it has its hook and its key. Ending: it takes no more links. */
  changed(event: 'GATE.UP' | 'GATE.READY' | 'GATE.ENDING' | 'GATE.DOWN'): void
  protocolError(link: number, error: Error): void
  rejected(count: number): void
  failed(error: Error): void
}

/** Time for a gate to pass on what its frontend had sent, if the host wants the end. */
export const CLOSE_TIMEOUT_MS = 500

/** The phases are those of `life/table.ts`. What its frontend hears of them are `GateEvents`. */
export class GateHandle {
  readonly worker: SupervisedWorker
  readonly #label: string
  readonly #host: HostServices
  readonly #events: GateEvents
  readonly #awaitsSocket: boolean
  readonly #lines: ThrottledLines
  readonly #times: GateTimes = { hook: createLatency(), seal: createLatency() }
  #watch: SharedArrayBuffer | undefined
  #stopWatching: () => void = () => {}

  /** @param awaitsSocket - true if the frontend is a process, and the gate owns an end of its socket */
  constructor(
    label: string,
    supervision: SupervisionConfig,
    host: HostServices,
    events: GateEvents,
    awaitsSocket = false,
  ) {
    this.#label = label
    this.#host = host
    this.#events = events
    this.#awaitsSocket = awaitsSocket
    const { supervisor, log, reporter, options } = host
    this.#lines = throttleLines(log, { worker: 'gate', label })
    this.worker = supervisor.start({
      name: getWorkerName('gate', label),
      supervision,
      waitsAfterError: options.dev,
      isClosing: () => events.isClosing(),
      hasServed: () => events.hasServed(),
      taker: events.taker,
      readTaken: () => events.readTaken?.(),
      spawn: heartbeat => this.#spawn(heartbeat),
      onState: state => log.debug({ worker: 'gate', label, state }, 'state'),
      onReport: message => this.#take(message as GateReport),
      effects: [this.#effects, reporter.getEffects('gate', label)],
    })
  }

  get stats(): GateStats {
    const { hook, seal } = this.#times
    return { ...this.worker.stats, hook: getLatency(hook), seal: getLatency(seal) }
  }

  /** Hands over a link from the frontend to core, and the port that brings the session's key. Both replace the previous ones. */
  connect(id: number, link: LinkEndpoint, key: MessagePort): void {
    this.worker.post({ type: 'link', id, link, key } satisfies GateCommand, [...getPorts(link), key])
  }

  /** True while its hook has a message. */
  get isInHook(): boolean {
    return this.#watch !== undefined && Atomics.load(new Int32Array(this.#watch), 0) !== 0
  }

  stop(): Promise<WorkerExit> {
    return this.worker.stop(CLOSE_TIMEOUT_MS)
  }

  #spawn(heartbeat: Heartbeat | undefined): ThreadHandle {
    const { dir, hookTimeout } = this.#host.options.isolation
    const watch = (this.#watch = dir && new SharedArrayBuffer(4))
    const data = { heartbeat, times: this.#times, watch, awaitsSocket: this.#awaitsSocket }
    const spawned = spawnGate(this.#label, data, this.#host)
    if (spawned instanceof ThreadMember) spawned.isInHook = () => this.isInHook
    if (watch) this.#stopWatching = watchCounter(watch, hookTimeout, () => this.#endStuck(spawned))
    return spawned
  }

  #endStuck(spawned: ThreadHandle): void {
    const { hookTimeout } = this.#host.options.isolation
    const text = `The isolation hook of ${describeName(this.#label)} did not return within ${hookTimeout} ms`
    const error = new BusError('Timeout', text)
    if (spawned instanceof ThreadMember) spawned.failThread(error)
    else this.worker.terminate(error)
  }

  #take(report: GateReport): void {
    const { reporter } = this.#host
    const label = this.#label
    switch (report.type) {
      case 'rejected': {
        const { command, why, more } = report
        this.#events.rejected(1 + more)
        return reporter.reportThrottled('rejected', { label, command, why }, more)
      }
      case 'log':
        return this.#lines.add([report.level, report.text])
      case 'fault': {
        const error = receiveError(report.error, `frontend ${describeName(label)} sent an invalid frame`)
        if (!this.#events.isOfRun) reporter.reportFault(label, error)
        return this.#events.protocolError(report.link, error)
      }
      default:
        return assertNever(report)
    }
  }

  get #effects(): Partial<Effects> {
    const events = this.#events
    const ending = (): void => events.changed('GATE.ENDING')
    const down = (): void => {
      this.#stopWatching()
      events.changed('GATE.DOWN')
    }
    return {
      ...{ askToStop: ending, kill: ending, renew: down, backOff: down, wait: down },
      spawn: ({ run }) => run > 1 && events.changed('GATE.UP'),
      ready: () => events.changed('GATE.READY'),
      over: context => {
        down()
        // Without its gate, a frontend can do nothing.
        const isLost = context.goal !== 'stop' && !context.isDraining()
        const text = `${getWorkerName('gate', this.#label)} exited unexpectedly`
        const { error = isLost ? new BusError('Crashed', text) : undefined, exitError } = getExit(context)
        if (!events.isOfRun) this.#host.reporter.reportExit('gate', this.#label, { error, exitError })
        if (error) events.failed(error)
      },
    }
  }
}

/**
 * Derives a gate's supervision from its frontend's. A frontend can do nothing without its gate, so a gate always restarts, unless
 * its frontend would not. The heartbeat has to outlast the hook, which the watchdog of hooks judges.
 */
export const getGateSupervision = (frontend: SupervisionConfig, hookTimeout: number): SupervisionConfig => ({
  ...frontend,
  restart: frontend.restart === 'temporary' ? 'temporary' : 'permanent',
  heartbeat: frontend.heartbeat && Math.max(frontend.heartbeat, 2 * hookTimeout),
})

function spawnGate(
  label: string,
  data: Pick<GateWorkerData, 'heartbeat' | 'times' | 'watch' | 'awaitsSocket'>,
  { options, log, gateThreads }: HostServices,
): ThreadHandle {
  const { onConfirm } = options
  const confirm = onConfirm && new MessageChannel()
  const { dir, legacyMessages, gates } = options.isolation
  const answer = new SharedArrayBuffer(4)
  if (confirm) answerConfirm(confirm.port1, answer, text => isConfirmed(onConfirm, text, { label }, log))
  const workerData: GateWorkerData = {
    ...{ ...data, label, dir: dir?.href, legacyMessages, development: isDevelopment(), isShared: gates !== 'each' },
    confirm: confirm && { port: confirm.port2, answer },
  }
  return gateThreads.open(getWorkerName('gate', label), workerData, confirm ? [confirm.port2] : [])
}

/** Starts a gate without a bus, which the caller connects. */
export const startStandaloneGate = (label: string, options: HostConfig, onFailed: (error: Error) => void): GateHandle =>
  new GateHandle(label, resolveSupervision('temporary'), new HostServices(options), {
    isClosing: () => false,
    hasServed: () => false,
    changed() {},
    rejected() {},
    protocolError: (_link, error) => onFailed(error),
    failed: onFailed,
  })
