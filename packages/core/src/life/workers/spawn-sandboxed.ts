// Starts a worker under Node's permission model: it reads what it is made of, writes nothing, starts nothing, and has neither the
// host's environment nor its output. The worker itself closes what Node leaves open (frontend/src/runtime/harden.ts).
import { type ResourceLimits, Worker } from 'node:worker_threads'
import type { FrontendWorkerData } from '@sallyport/protocol/internal/contract'
import {
  type FrontendCode,
  getNetFlags,
  getReadFlags,
  getUnexpectedRead,
  type Link,
  MODEL,
  type ReadGrants,
} from '@sallyport/process/internal/permission-model'
import { DEFAULT_HEAP_MB } from '../../shared/heap-limit.js'
import { type Entry, spawnWorker } from './spawn.js'

/**
 * Since 22 Node grants the program that the process was started with. A worker has none, and the empty name would grant the working
 * directory. An interactive process has no program, so nothing is granted. The flag has no other effect in a worker.
 */
const PERMISSION = [...MODEL, '--interactive']

export interface SandboxedWorker {
  entry: Entry
  workerData?: object | undefined
  reads: ReadGrants
  /** Those that are left out of `reads`, for code that the host does not trust. */
  links?: readonly Link[] | undefined
  net?: boolean | undefined
  flags?: readonly string[]
  resourceLimits?: ResourceLimits | undefined
}

/** @throws errors of `new Worker` */
export function spawnSandboxed(options: SandboxedWorker): Worker {
  const { entry, workerData, reads, links, net, flags = [], resourceLimits } = options
  const heapMb = resourceLimits?.maxOldGenerationSizeMb
  const worker = spawnWorker(entry, workerData, [], {
    execArgv: [...PERMISSION, ...getReadFlags(reads, links), ...getNetFlags(net), ...flags],
    env: {},
    stdout: true,
    stderr: true,
    resourceLimits: { ...resourceLimits, maxOldGenerationSizeMb: heapMb ?? DEFAULT_HEAP_MB },
  })
  guardInnerPort(worker)
  return worker
}

/** Returns what the worker of a frontend starts with. */
export function getFrontendWorker(
  start: FrontendWorkerData,
  { code, reads, flags }: FrontendCode,
): Pick<SandboxedWorker, 'workerData' | 'reads' | 'flags'> {
  const workerData: FrontendWorkerData = {
    ...{ ...start, ...code },
    sandbox: { unexpectedRead: getUnexpectedRead(reads), hasBroker: start.broker !== undefined },
  }
  return { workerData, reads, flags }
}

type Receive = (message: object) => void

/**
 * Lets only the messages of its start and its errors into the port that Node itself uses between a worker and its host. Code in the worker can
 * find that port, and any message that Node does not expect is an uncaught error, which would end the host. Output is a report.
 */
function guardInnerPort(worker: Worker): void {
  const name = Object.getOwnPropertySymbols(Worker.prototype).find(({ description }) => description === 'kOnMessage')
  if (!name) return
  const inner = worker as unknown as Record<symbol, Receive>
  const receive = inner[name]!
  inner[name] = value => {
    const message: { type?: unknown } = Object(value)
    if (message.type === 'upAndRunning' || message.type === 'couldNotSerializeError') receive.call(worker, message)
    else if (message.type === 'errorMessage') {
      try {
        receive.call(worker, message)
      } catch {
        // The error was forged, as its listeners throw nothing themselves. The worker's exit is reported when it ends.
      }
    }
  }
}
