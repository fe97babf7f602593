// A frontend's gate: an isolation worker between the frontend and core. Each session gives it a link from the frontend to core, and a
// private port over which core sends the session's key.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { BusError, describeName, receiveError } from '@sallyport/protocol/internal/errors'
import { getPorts } from '@sallyport/protocol/internal/link'
import { assertNever, isDevelopment } from '@sallyport/protocol/internal/util'
import type { GateCommand, GateReport, GateTimes, GateWorkerData } from '@sallyport/protocol/internal/contract'
import type { LinkEndpoint } from '@sallyport/protocol/internal/link'
import { locationSchema, type ModuleLocation } from '../../shared/locations.js'
import { createLatency } from '../../shared/metrics.js'
import { check } from '../../shared/validate.js'
import { checkFile } from '../options/check-files.js'
import { resolveHost } from '../options/resolve-options.js'
import { isolationDefaults, remoteHostSchema } from '../options/schema.js'
import type { HookOptions } from '../options/types.js'
import { isConfirmed, answerConfirm } from '../reporting/confirm.js'
import { type GateStats, getLatency } from '../reporting/stats.js'
import { getWorkerName, resolveSupervision, type SupervisionConfig } from '../life/policy.js'
import { watchCounter } from '../life/watchdog.js'
import type { ThreadHandle, WorkerExit } from '../life/thread.js'
import type { SupervisedWorker } from '../life/worker.js'
import { throttleLines } from '../workers/output.js'
import { HostServices } from './services.js'
import { ThreadMember } from '../workers/shared-threads.js'

export interface GateEvents {
  /** True for the gate of a run, whose end is the error of its caller, and is not reported. */
  readonly isOfRun?: boolean
  /** True once the frontend is being closed: the gate stops after it, and does not start again. */
  isClosing(): boolean
  /** Up: it needs new links. Ready: it has its hook and its key. Ending: it takes no more links. */
  changed(event: 'GATE.UP' | 'GATE.READY' | 'GATE.ENDING' | 'GATE.DOWN'): void
  protocolError(link: number, error: Error): void
  rejected(count: number): void
  failed(error: Error): void
}

export interface GateHandle {
  readonly worker: SupervisedWorker
  readonly stats: GateStats
  /** Hands over a link from the frontend to core, and the port that brings the session's key. Both replace the previous ones. */
  connect(id: number, link: LinkEndpoint, key: MessagePort): void
  stop(): Promise<WorkerExit>
}

/** Time for a gate to pass on what its frontend had sent, if the host wants the end. */
export const CLOSE_TIMEOUT_MS = 500

/** @param awaitsSocket - true if the frontend is a process, and the gate owns an end of its socket */
export function startGate(
  label: string,
  supervision: SupervisionConfig,
  host: HostServices,
  events: GateEvents,
  awaitsSocket = false,
): GateHandle {
  const { supervisor, log, reporter } = host
  const { dir, hookTimeout } = host.options.isolation
  const lines = throttleLines(log, { worker: 'gate', label })
  const times: GateTimes = { hook: createLatency(), seal: createLatency() }
  let stopWatching = (): void => {}
  const onStop = (): void => {
    stopWatching()
    events.changed('GATE.DOWN')
  }
  const worker = supervisor.start({
    name: getWorkerName('gate', label),
    supervision,
    waitsAfterError: host.options.dev,
    isClosing: () => events.isClosing(),
    spawn(heartbeat) {
      const watch = dir && new SharedArrayBuffer(4)
      const spawned = spawnGate(label, { heartbeat, times, watch, awaitsSocket }, host)
      const message = `The isolation hook of ${describeName(label)} did not return within ${hookTimeout} ms`
      const onStuck = (): void => {
        const error = new BusError('Timeout', message)
        if (spawned instanceof ThreadMember) spawned.failThread(error)
        else worker.terminate(error)
      }
      if (watch) stopWatching = watchCounter(watch, hookTimeout, onStuck)
      return spawned
    },
    onState(state) {
      log.debug({ worker: 'gate', label, state }, 'state')
      if (state === 'ready') events.changed('GATE.READY')
    },
    onReport(message) {
      const report = message as GateReport
      switch (report.type) {
        case 'rejected': {
          const { command, why, more } = report
          events.rejected(1 + more)
          return reporter.reportThrottled('rejected', { label, command, why }, more)
        }
        case 'log':
          return lines.add([report.level, report.text])
        case 'fault': {
          const error = receiveError(report.error, `frontend ${describeName(label)} sent an invalid frame`)
          if (!events.isOfRun) reporter.reportFault(label, error)
          return events.protocolError(report.link, error)
        }
        default:
          return assertNever(report)
      }
    },
    onEnding: () => events.changed('GATE.ENDING'),
    onRestarted: () => events.changed('GATE.UP'),
    onStopped(restart) {
      onStop()
      reporter.reportRestart('gate', label, restart)
    },
    onKilled: () => reporter.reportStopTimeout('gate', label),
  })
  void worker.exited.then(exit => {
    onStop()
    // Without its gate, a frontend can do nothing.
    const isLost = worker.life.context.goal !== 'stop' && !worker.life.context.isDraining()
    const text = `${getWorkerName('gate', label)} exited unexpectedly`
    const { error = isLost ? new BusError('Crashed', text) : undefined } = exit
    if (error) events.failed(error)
    if (!events.isOfRun) reporter.reportExit('gate', label, { ...exit, error })
  })
  return {
    worker,
    get stats() {
      return { ...worker.stats, hook: getLatency(times.hook), seal: getLatency(times.seal) }
    },
    connect(id, link, key) {
      worker.post({ type: 'link', id, link, key } satisfies GateCommand, [...getPorts(link), key])
    },
    stop: () => worker.stop(CLOSE_TIMEOUT_MS),
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

/** Starts a gate without a bus, which the caller connects. @throws {BusError} InvalidParams if there is no such app */
export async function startStandaloneGate(
  label: string,
  location: ModuleLocation,
  {
    legacyMessages = isolationDefaults.legacyMessages,
    hookTimeout = isolationDefaults.hookTimeout,
    onConfirm,
  }: HookOptions,
  onFailed: (error: Error) => void,
): Promise<GateHandle> {
  const from = 'runHook: dir'
  const isolation = { dir: check(from, locationSchema, location), legacyMessages, hookTimeout, gates: 'each' as const }
  const input = { log: false, ...(onConfirm && { onConfirm }) } as const
  const options = await resolveHost('runHook', input, check('runHook', remoteHostSchema, { isolation }))
  await checkFile(from, new URL('index.html', options.isolation.dir))
  return startGate(label, resolveSupervision('temporary'), new HostServices(options), {
    isClosing: () => false,
    changed() {},
    rejected() {},
    protocolError: (_link, error) => onFailed(error),
    failed: onFailed,
  })
}
