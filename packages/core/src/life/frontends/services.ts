// What core, the gates and the frontends of a host share, and the threads of its gates: each has one, or shares one with others.
import { getGateGrants } from '@sallyport/process/internal/permission-model'
import type { GateThreadData, GateWorkerData } from '@sallyport/protocol/internal/contract'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import type { Worker } from 'node:worker_threads'
import { Supervisor } from '../supervisor.js'
import type { ThreadHandle } from '../thread.js'
import type { HostConfig } from './config.js'
import { BusReporter } from '../reporting/events.js'
import { createHostLog, type HostLog } from '../reporting/log.js'
import { createProcesses, type Processes } from '../workers/process-host.js'
import { spawnSandboxed } from '../workers/spawn-sandboxed.js'
import { SharedThreads } from '../workers/shared-threads.js'
import { SpareWorker } from '../workers/spare-worker.js'
import { findEntry } from '../workers/spawn.js'

export class GateThreads {
  readonly #options: Pick<HostConfig, 'isolation' | 'workers'>
  readonly #sharedThreads: SharedThreads
  #spare: SpareWorker | undefined

  constructor(options: Pick<HostConfig, 'isolation' | 'workers'>, sharedThreads: SharedThreads) {
    this.#options = options
    this.#sharedThreads = sharedThreads
  }

  /** Spawns the thread of the first gate, which loads its code while core starts. Does nothing if gates share threads. */
  prepare(): void {
    if (this.#options.isolation.gates === 'each') this.#spare = new SpareWorker(() => this.#spawn(true))
  }

  open(name: string, data: GateWorkerData, transfer: TransferListItem[]): ThreadHandle {
    const { gates } = this.#options.isolation
    if (gates !== 'each') {
      return this.#sharedThreads.open({ name: 'gates', size: gates, spawn: () => this.#spawn() }, name, data, transfer)
    }
    const worker = this.#spare?.take() ?? this.#spawn()
    worker.postMessage(data, transfer)
    return worker
  }

  close(): void {
    this.#spare?.discard()
  }

  #spawn(isSpare = false): Worker {
    const { isolation, workers } = this.#options
    const { dir, gates } = isolation
    const entry = workers.gate ?? findEntry('@sallyport/isolation/internal/worker')
    const workerData: GateThreadData = {
      isShared: gates !== 'each',
      preloadsHook: isSpare && dir !== undefined,
      warmsUp: isSpare,
    }
    // The gate itself stops a hook whose memory grows slowly. The heap limit is for a hook that fills the memory in a single call.
    return spawnSandboxed({ entry, reads: getGateGrants(entry, dir), workerData })
  }
}

/** @internal Services that core, the gates and the frontends of a host use. */
export class HostServices {
  readonly options: HostConfig
  readonly log: HostLog
  readonly supervisor: Supervisor = new Supervisor()
  readonly reporter: BusReporter
  readonly sharedThreads: SharedThreads = new SharedThreads()
  readonly processes: Processes
  readonly gateThreads: GateThreads

  constructor(options: HostConfig) {
    this.options = options
    this.log = createHostLog(options.log, options.dev)
    this.reporter = new BusReporter(this.log, () => this.supervisor.state === 'draining')
    this.processes = createProcesses(options.core, this.log, this.sharedThreads)
    this.gateThreads = new GateThreads(options, this.sharedThreads)
  }
}
