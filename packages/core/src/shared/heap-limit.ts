// Limits the heap of a worker below V8's own limit, at which V8 can abort the whole process (docs/adr/0016-memory-of-a-hook.md).
import { getHeapStatistics } from 'node:v8'
import { type ResourceLimits, Worker } from 'node:worker_threads'
import { getOtherRuntime } from './other-runtime.js'
import { later } from '@sallyport/protocol/internal/contract'

/** `getHeapStatistics` is new in Node 22.16. It interrupts JavaScript that runs in the worker. */
type MeasurableWorker = Worker & { getHeapStatistics(): Promise<{ used_heap_size: number }> }

const CAN_MEASURE = 'getHeapStatistics' in Worker.prototype && getOtherRuntime() === undefined

/** Default limit of a sandboxed worker, in MB. With less, Node 20 more often ends the whole process. */
export const DEFAULT_HEAP_MB: number = CAN_MEASURE ? 1024 : 2048
/** Garbage and the growth between two checks, in MB: a worker is terminated this much above its limit, and V8 acts twice as much above. */
const RESERVE_MB = 512
/** Interval of checks while a worker computes. */
const CHECK_INTERVAL_MS = 50
/** Interval of checks while all workers are idle, if their heaps are far from V8's limit. */
const MAX_INTERVAL_MS = 400
/** Growth of a heap in bytes per ms: more than in any measured loop, except for the one step of a table, for which `RESERVE_MB` is left. */
const GROWTH: number = 4 * 2 ** 20
/** Computing time in ms after which a worker is measured again. An idle worker's heap does not grow, and a measurement wakes it. */
const MIN_ACTIVE_MS = 5

/** Returns the limit of a worker's heap in MB. The default is the limit of this thread, as in Node. */
export const getHeapLimit = (limits: ResourceLimits = {}): number =>
  limits.maxOldGenerationSizeMb ?? Math.ceil(getHeapStatistics().heap_size_limit / 2 ** 20)

/** Returns the limits for V8. On a version of Node that cannot measure workers, these are the given ones. */
export const getV8Limits = (limits: ResourceLimits | undefined): ResourceLimits =>
  CAN_MEASURE ? { ...limits, maxOldGenerationSizeMb: getHeapLimit(limits) + 2 * RESERVE_MB } : { ...limits }

/** Bytes of the heaps of workers, as they were measured last. */
const heaps = new WeakMap<Worker, number>()

/** Checks of the workers of this thread. Each returns the time until its next one. */
const checks = new Set<() => number>()
let endWait = (): void => {}

/** One timer for all workers, because each wakes this thread. */
function scheduleChecks(delay: number): void {
  endWait()
  endWait = later(delay, () => {
    const delays = Array.from(checks, check => check())
    if (delays.length > 0) scheduleChecks(Math.min(...delays))
  })
}

/** Terminates a worker whose heap exceeds its limit. It emits the same error and exit code as at V8's own limit. */
export function limitHeap(worker: Worker, limits: ResourceLimits | undefined): void {
  if (!CAN_MEASURE) return
  const maxBytes = (getHeapLimit(limits) + RESERVE_MB) * 2 ** 20
  const getUtilization = worker.performance.eventLoopUtilization
  let lastMeasured = getUtilization()
  let isMeasuring = false
  /** Interval of checks of an idle worker: it can begin to allocate right after one. */
  let idleInterval = CHECK_INTERVAL_MS

  function check(): number {
    const { active, idle } = getUtilization(lastMeasured)
    if (isMeasuring) return CHECK_INTERVAL_MS
    // Both are 0 until the event loop starts.
    if (active < MIN_ACTIVE_MS && idle > 0) return idleInterval
    lastMeasured = getUtilization()
    void measure()
    return CHECK_INTERVAL_MS
  }

  async function measure(): Promise<void> {
    isMeasuring = true
    // A worker that starts or exits cannot be measured.
    const heap = await (worker as MeasurableWorker).getHeapStatistics().catch(() => undefined)
    isMeasuring = false
    if (heap === undefined) return
    heaps.set(worker, heap.used_heap_size)
    // V8 acts as far above `maxBytes` as the reserve, so this much growth leaves the reserve for one step of a table.
    const growth = maxBytes - heap.used_heap_size
    idleInterval = Math.max(CHECK_INTERVAL_MS, Math.min(MAX_INTERVAL_MS, growth / GROWTH))
    if (growth > 0) return
    checks.delete(check)
    const error = new Error('Worker terminated due to reaching memory limit: JS heap out of memory')
    worker.emit('error', Object.assign(error, { code: 'ERR_WORKER_OUT_OF_MEMORY' }))
    void worker.terminate()
  }

  checks.add(check)
  worker.once('exit', () => checks.delete(check))
  scheduleChecks(CHECK_INTERVAL_MS)
}

/** What a thread or process uses, as far as its limits measure it. */
export interface WorkerUsage {
  /** Bytes: of a process, resident; of a thread, its heap. `undefined` before the first reading. */
  memory?: number | undefined
  /** Milliseconds so far: of a process, CPU time; of a thread, for which its event loop was busy. */
  cpu?: number | undefined
}

export interface UsageSource {
  /** Returns what it uses, if its limits are measured elsewhere than in this thread. */
  readUsage?(): WorkerUsage | undefined
}

/** Returns `undefined` for a thread that others share. */
export function readUsage(thread: UsageSource): WorkerUsage | undefined {
  if (!(thread instanceof Worker)) return thread.readUsage?.()
  return {
    memory: heaps.get(thread),
    cpu: getOtherRuntime() ? undefined : thread.performance.eventLoopUtilization().active,
  }
}
