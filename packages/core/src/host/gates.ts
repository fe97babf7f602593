// Starts a frontend's gate: an isolation worker with a link to its frontend, and a private port to core for the key.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { BusError, receiveError, type GateReport, type GateWorkerData, type LinkEnd } from '@sallyport/protocol'
import { boundedLog, intoLog } from './captured.js'
import { answerConfirm } from './confirm.js'
import type { Logger } from './log.js'
import type { ResolvedOptions } from './options.js'
import { readsOfGate, spawnSandboxed } from './sandbox.js'
import type { SupervisedThread, Supervisor } from './supervisor.js'
import type { Watchdog } from './watchdog.js'

export interface Gate {
  readonly thread: SupervisedThread
  /** The frontend's end of its link to the gate. */
  readonly link: LinkEnd
  /** Core's end of the key port. */
  readonly key: MessagePort
}

export interface GateHost {
  supervisor: Supervisor
  options: Pick<ResolvedOptions, 'pattern' | 'isolation' | 'onConfirm'>
  /** `false` only for the benchmark: the hook runs, and nothing is sealed. */
  cipher: boolean
  watchdog: Watchdog
  log: Logger
  rejected(label: string, command: string, why: string, more: number): void
  /** A frontend or its gate has ended with an error, or has sent what no honest one would. */
  failed(label: string, error: Error): void
}

export function startGate(
  label: string,
  [inside, outside]: [LinkEnd, LinkEnd],
  { supervisor, options, cipher, watchdog, log, rejected, failed: fault }: GateHost,
): Gate {
  const key = new MessageChannel()
  const confirm = options.onConfirm && new MessageChannel()
  const { dir, envelope, hookTimeout } = options.isolation
  const watch = dir && new SharedArrayBuffer(4)
  const answer = new SharedArrayBuffer(4)
  if (confirm) answerConfirm(confirm.port1, answer, text => options.onConfirm!(text, { label }))
  const workerData: GateWorkerData = {
    label,
    dir: dir?.href,
    envelope,
    cipher,
    link: inside,
    key: key.port2,
    confirm: confirm && { port: confirm.port2, answer },
    watch,
  }
  const entry = import.meta.resolve('@sallyport/isolation/worker')
  const transferList = [inside.port, key.port2, ...(confirm ? [confirm.port2] : [])]
  const lines = boundedLog(log, { actor: 'isolation', label })
  const thread = supervisor.start({
    name: `gate of ${label}`,
    spawn() {
      const reads = readsOfGate(entry, options.isolation.dir)
      // The gate itself ends a hook that keeps too much; the limit of its heap is for one that takes it in a single call.
      const worker = spawnSandboxed({ entry, workerData, transferList, reads })
      intoLog(worker, lines)
      return worker
    },
    onState: state => log.debug({ actor: 'isolation', label, state }, 'state'),
    onReport(report) {
      const told = report as GateReport
      if (told.type === 'rejected') rejected(label, told.command, told.why, told.more)
      else if (told.type === 'fault') fault(label, receiveError(told.error, 'a frontend has sent what is no frame'))
      else if (told.type === 'log') lines.write(told.level, told.text)
    },
  })
  void thread.exited.then(() => lines.flush())
  if (watch) {
    const problem = `The isolation hook of ${JSON.stringify(label)} has not returned for ${hookTimeout} ms`
    const forget = watchdog.watch(watch, () => thread.end(new BusError('Timeout', problem)))
    void thread.exited.then(forget)
  }
  return { thread, link: outside, key: key.port1 }
}
