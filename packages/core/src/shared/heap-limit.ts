// Limits the heap of a worker below V8's own limit, at which V8 can abort the whole process (docs/adr/0016-memory-of-a-hook.md).
import { getHeapStatistics } from 'node:v8'
import { type ResourceLimits, Worker } from 'node:worker_threads'

/** `getHeapStatistics` is new in Node 22.16. It interrupts JavaScript that runs in the worker. */
type MeasurableWorker = Worker & { getHeapStatistics(): Promise<{ used_heap_size: number }> }

const CAN_MEASURE = 'getHeapStatistics' in Worker.prototype

/** Default limit of a sandboxed worker, in MB. With less, Node 20 more often ends the whole process. */
export const DEFAULT_HEAP_MB: number = CAN_MEASURE ? 1024 : 2048
/** Garbage and the growth between two checks, in MB: a worker is terminated this much above its limit, and V8 acts twice as much above. */
const RESERVE_MB = 512
const CHECK_INTERVAL_MS = 50
/** Computing time in ms after which a worker is measured again. An idle worker's heap does not grow, and a measurement wakes it. */
const MIN_ACTIVE_MS = 5

/** Returns the limit of a worker's heap in MB. The default is the limit of this thread, as in Node. */
export const getHeapLimit = (limits: ResourceLimits = {}): number =>
  limits.maxOldGenerationSizeMb ?? Math.ceil(getHeapStatistics().heap_size_limit / 2 ** 20)

/** Returns the limits for V8. On a version of Node that cannot measure workers, these are the given ones. */
export const getV8Limits = (limits: ResourceLimits | undefined): ResourceLimits =>
  CAN_MEASURE ? { ...limits, maxOldGenerationSizeMb: getHeapLimit(limits) + 2 * RESERVE_MB } : { ...limits }

/** Terminates a worker whose heap exceeds its limit. It emits the same error and exit code as at V8's own limit. */
export function limitHeap(worker: Worker, limits: ResourceLimits | undefined): void {
  if (!CAN_MEASURE) return
  const maxBytes = (getHeapLimit(limits) + RESERVE_MB) * 2 ** 20
  const getUtilization = worker.performance.eventLoopUtilization
  let lastMeasured = getUtilization()
  let isMeasuring = false

  async function check(): Promise<void> {
    const { active, idle } = getUtilization(lastMeasured)
    // Both are 0 until the event loop starts.
    if (isMeasuring || (active < MIN_ACTIVE_MS && idle > 0)) return
    lastMeasured = getUtilization()
    isMeasuring = true
    // A worker that starts or exits cannot be measured.
    const heap = await (worker as MeasurableWorker).getHeapStatistics().catch(() => undefined)
    isMeasuring = false
    if (heap === undefined || heap.used_heap_size < maxBytes) return
    clearInterval(timer)
    const error = new Error('Worker terminated due to reaching memory limit: JS heap out of memory')
    worker.emit('error', Object.assign(error, { code: 'ERR_WORKER_OUT_OF_MEMORY' }))
    void worker.terminate()
  }

  const timer = setInterval(() => void check(), CHECK_INTERVAL_MS).unref()
  worker.once('exit', () => clearInterval(timer))
}
