// What a host gives its sandboxes that are processes. The code that starts them is loaded with the first one.
import { availableParallelism } from 'node:os'
import { ABANDON_TIMEOUT_MS } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import type { ProcessHost, ProcessPool } from '@sallyport/process/internal'
import { getNodeProgram } from '@sallyport/process/internal/permission-model'
import type { HostLog } from '../reporting/log.js'
import { getWorkerName } from '../life/policy.js'
import { createOutputSink, takeReport } from '../workers/output.js'
import type { SharedThreads, ThreadGroup, ThreadMember } from '../workers/shared-threads.js'
import { findEntry, spawnWorker } from '../workers/spawn.js'

/**
 * The threads of all relays of a host. A relay runs no code of a frontend that could block it, but a thread that loads, or starts many
 * processes, is busy for longer than one that runs scripts should be.
 */
const RELAYS: ThreadGroup = {
  name: 'relays',
  size: Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2))),
  isKept: true,
  confirmTimeout: ABANDON_TIMEOUT_MS,
  spawn: () => spawnWorker(findEntry('@sallyport/process/internal/relay'), undefined, [], { env: {} }),
}

export class Processes implements ProcessHost {
  readonly log: HostLog
  readonly core: unknown
  /** Those that are started ahead or shared, once there was one. */
  pool: ProcessPool | undefined
  readonly #threads: SharedThreads

  /** @param core - the core module, if it has a location */
  constructor(core: unknown, log: HostLog, threads: SharedThreads) {
    this.core = core
    this.log = log
    this.#threads = threads
  }

  get entry(): string {
    return findEntry('@sallyport/frontend/process')
  }

  getName(label: string): string {
    return getWorkerName('frontend', label)
  }

  openRelay(name: string, data: object, transfer?: readonly TransferListItem[]): ThreadMember {
    return this.#threads.open(RELAYS, name, data, transfer)
  }

  openScript(relay: ThreadMember, name: string, data: object): ThreadMember {
    return this.#threads.openIn(relay, name, data)
  }

  readOutput(relay: ThreadMember, group: string | undefined): void {
    const nowhere = { take() {}, end() {} }
    const sink = group === undefined ? nowhere : createOutputSink({ worker: 'scripts', label: group }, this.log, false)
    relay.on('exit', sink.end)
    relay.on('message', report => takeReport(report, sink, relay))
  }
}

/** Node keeps that a module could not be read, for instance because no descriptors were left. By another URL it is read again. */
let failures = 0

/**
 * Loads what starts processes. The thread of relays starts meanwhile.
 *
 * @param threads - the threads of a host that runs already
 * @throws {BusError} InvalidParams if the program of this process is not Node.js; Overloaded if the code could not be read
 */
export async function loadProcesses(
  threads: SharedThreads | undefined,
): Promise<typeof import('@sallyport/process/internal')> {
  // Refused before anything starts.
  getNodeProgram()
  threads?.prepare(RELAYS)
  try {
    if (failures === 0) return await import('@sallyport/process/internal')
    return await import(`${import.meta.resolve('@sallyport/process/internal')}?${failures}`)
  } catch (cause) {
    failures++
    const remedy = 'Close files, or raise the limit of the process (`ulimit -n`)'
    throw new BusError('Overloaded', `The code that starts processes was not read. ${remedy}`, { cause })
  }
}
