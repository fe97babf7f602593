// A frontend's gate: an isolation worker with a link to its frontend, and a private port to core for each key.
import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads'
import {
  BusError,
  type GateCommand,
  type GateReport,
  type GateTimes,
  type GateWorkerData,
  type Heartbeat,
  type LinkEndpoint,
  receiveError,
} from '@sallyport/protocol'
import { createLatency } from '../../shared/metrics.js'
import { folderUrl, type ModuleLocation } from '../options/location.js'
import { checkFile, resolveLocation } from '../options/resolve.js'
import type { ResolvedOptions } from '../options/types.js'
import { agrees, answerConfirm, type OnConfirm } from '../reporting/confirm.js'
import { BusReporter } from '../reporting/events.js'
import { createHostLog, type Logger } from '../reporting/log.js'
import { type GateStats, getLatency } from '../reporting/stats.js'
import { type SupervisionConfig, resolveSupervision, getWorkerName } from '../supervision/policy.js'
import { createSupervisor, type Supervisor } from '../supervision/supervisor.js'
import { createWatchdog, type Watchdog } from '../supervision/watchdog.js'
import { boundedLog, type BoundedLog, pipeToLog } from '../workers/output.js'
import { getGateGrants, spawnSandboxed } from '../workers/sandbox.js'
import { findEntry } from '../workers/spawn.js'

/** What a gate tells its frontend. */
export interface GateEvents {
  /** Another has been started in place of one that has ended. */
  up(): void
  /** It has its hook and its key. */
  ready(): void
  down(): void
  /** The frontend has sent it what no honest one would. */
  broken(error: Error): void
  /** Its hook has not let so many messages pass. */
  rejected(count: number): void
  /** It has ended with an error, and none follows. */
  failed(error: Error): void
}

export interface Gate {
  /** It can be linked. */
  readonly isUp: boolean
  readonly isReady: boolean
  /** A link to the frontend, and the port that brings the key of its session: in place of those before, if there were any. */
  link(link: LinkEndpoint, key: MessagePort): void
  /** Loads its hook anew. */
  reload(): Promise<void>
  stop(): Promise<unknown>
  readonly stats: GateStats
}

export interface GateHost {
  supervisor: Supervisor
  options: Pick<ResolvedOptions, 'pattern' | 'isolation' | 'onConfirm' | 'calls' | 'dev' | 'workers'>
  /** `false` only for the benchmark: the hook runs, and nothing is sealed. */
  cipher: boolean
  watchdog: Watchdog
  log: Logger
  reporter: BusReporter
}

export function startGate(label: string, supervision: SupervisionConfig, host: GateHost, told: GateEvents): Gate {
  const { supervisor, log, reporter } = host
  const lines = boundedLog(log, { actor: 'isolation', label })
  const times: GateTimes = { hook: createLatency(), seal: createLatency() }
  let isReady = false
  let forget = (): void => {}
  const thread = supervisor.start({
    name: getWorkerName('gate', label),
    supervision,
    waitsAfterError: host.options.dev,
    spawn(heartbeat) {
      const { worker, watch } = spawnGate(label, heartbeat, lines, times, host)
      forget = watch(error => thread.terminate(error))
      return worker
    },
    onState(state) {
      log.debug({ actor: 'isolation', label, state }, 'state')
      if (state !== 'ready') return
      isReady = true
      told.ready()
    },
    onReport(report) {
      const given = report as GateReport
      if (given.type === 'rejected') {
        told.rejected(1 + given.more)
        reporter.reportRejection(label, given.command, given.why, given.more)
      } else if (given.type === 'log') lines.write(given.level, given.text)
      else if (given.type === 'fault') {
        const error = receiveError(given.error, 'a frontend has sent what is no frame')
        reporter.reportFault(label, error)
        told.broken(error)
      }
    },
    onRestarted: told.up,
    onStopped(restart) {
      isReady = false
      forget()
      told.down()
      reporter.reportRestart('isolation', label, restart)
    },
    onKilled: () => reporter.reportStopTimeout('isolation', label),
  })
  void thread.exited.then(exit => {
    isReady = false
    forget()
    if (exit.error) told.failed(exit.error)
    reporter.reportExit('isolation', label, exit)
  })
  return {
    get isUp() {
      return thread.isUp
    },
    get isReady() {
      return isReady
    },
    link(link, key) {
      thread.post({ type: 'link', link, key } satisfies GateCommand, [link.port, key])
    },
    reload: () => thread.reload(),
    stop: () => thread.stop(0),
    get stats() {
      return { ...thread.stats, hook: getLatency(times.hook), seal: getLatency(times.seal) }
    },
  }
}

/**
 * A gate is no use when it has ended: it is started again, unless its frontend would not be. While it is inside the hook it is
 * the watchdog's.
 */
export const gateSupervision = (own: SupervisionConfig, hookTimeout: number): SupervisionConfig => ({
  ...own,
  restart: own.restart === 'temporary' ? 'temporary' : 'permanent',
  heartbeat: own.heartbeat && Math.max(own.heartbeat, 2 * hookTimeout),
})

interface SpawnedGate {
  worker: Worker
  /** Calls `stuck` where its hook does not come back. Gives back what ends that. */
  watch(stuck: (error: Error) => void): () => void
}

function spawnGate(
  label: string,
  heartbeat: Heartbeat | undefined,
  lines: BoundedLog,
  times: GateTimes,
  { options, cipher, watchdog, log }: GateHost,
): SpawnedGate {
  const { onConfirm } = options
  const confirm = onConfirm && new MessageChannel()
  const { dir, envelope, hookTimeout } = options.isolation
  const memory = dir && new SharedArrayBuffer(4)
  const answer = new SharedArrayBuffer(4)
  if (confirm) answerConfirm(confirm.port1, answer, text => agrees(onConfirm, text, { label }, log))
  const entry = options.workers.gate ?? findEntry('@sallyport/isolation/worker')
  const workerData: GateWorkerData = {
    label,
    dir: dir?.href,
    envelope,
    cipher,
    confirm: confirm && { port: confirm.port2, answer },
    watch: memory,
    times,
    heartbeat,
  }
  const reads = getGateGrants(entry, dir)
  const transferList = confirm ? [confirm.port2] : []
  // The gate itself ends a hook that keeps too much; the limit of its heap is for one that takes it in a single call.
  const worker = spawnSandboxed({ entry, workerData, transferList, reads })
  pipeToLog(worker, lines)
  const problem = `The isolation hook of ${JSON.stringify(label)} has not returned for ${hookTimeout} ms`
  const watch: SpawnedGate['watch'] = stuck =>
    memory ? watchdog.watch(memory, () => stuck(new BusError('Timeout', problem))) : () => {}
  return { worker, watch }
}

// A gate without a bus, for a test of its hook: the same worker, with its sandbox and its watchdog. Whoever starts it links it.

export interface StandaloneGateOptions {
  /** As of the isolation pattern. */
  envelope?: boolean
  /** Likewise: 1000 ms by default. */
  hookTimeout?: number
  /** Answers the hook's `confirm`; no, unless given. */
  onConfirm?: OnConfirm
}

/**
 * @param failed is called where the gate ends: its hook can't be loaded, or does not come back
 * @throws BusError `InvalidParams` where there is no such app
 */
export async function startStandaloneGate(
  label: string,
  given: ModuleLocation,
  { envelope = false, hookTimeout = 1000, onConfirm }: StandaloneGateOptions,
  failed: (error: Error) => void,
): Promise<Gate> {
  const from = 'runHook: dir'
  const dir = folderUrl(resolveLocation(from, given))
  await checkFile(from, new URL('index.html', dir))
  const log = createHostLog(false)
  const isolation = { dir, envelope, hookTimeout, maxRecordAge: undefined, from }
  const nothing = (): void => {}
  return startGate(
    label,
    resolveSupervision('temporary'),
    {
      supervisor: createSupervisor(),
      options: { pattern: 'isolation', isolation, onConfirm, calls: {}, dev: false, workers: {} },
      cipher: true,
      watchdog: createWatchdog(hookTimeout),
      log,
      reporter: new BusReporter(log, new EventEmitter()),
    },
    { up: nothing, ready: nothing, down: nothing, rejected: nothing, broken: failed, failed },
  )
}
