// What a host gives its sandboxes that are processes. The code that starts them is loaded with the first one.
import { availableParallelism } from 'node:os'
import { ABANDON_TIMEOUT_MS, getWorkerName } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import type { ProcessHost, ProcessPool } from '@sallyport/process/internal'
import { getNodeProgram } from '@sallyport/process/internal/permission-model'
import type { HostLog } from '../reporting/log.js'
import { createOutputSink, takeReport } from './output.js'
import type { SharedThreads, ThreadGroup, ThreadMember } from './shared-threads.js'
import { findEntry, spawnWorker } from './spawn.js'

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

export interface Processes extends ProcessHost {
  readonly log: HostLog
  /** Those that are started ahead or shared, once there was one. */
  pool: ProcessPool | undefined
}

/** @param core - the core module, if it has a location */
export const createProcesses = (core: unknown, log: HostLog, threads: SharedThreads): Processes => ({
  ...{ core, log, pool: undefined },
  get entry() {
    return findEntry('@sallyport/frontend/process')
  },
  getName: label => getWorkerName('frontend', label),
  openRelay: (name, data, transfer) => threads.open(RELAYS, name, data, transfer),
  openScript: (relay, name, data) => threads.openIn(relay as ThreadMember, name, data),
  readOutput(relay, group) {
    const nowhere = { take() {}, end() {} }
    const sink = group === undefined ? nowhere : createOutputSink({ worker: 'scripts', label: group }, log, false)
    relay.on('exit', sink.end)
    relay.on('message', report => takeReport(report, sink, relay as ThreadMember))
  },
})

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
