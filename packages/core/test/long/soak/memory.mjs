// The memory of a thread after a garbage collection: its heap, and the number of objects of the kinds that leak.
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, MessagePort } from 'node:worker_threads'
import { WARM_UP } from './verdict.mjs'

// Frontends in a sandbox can't set flags: they begin with those of the host.
let collect = globalThis.gc
if (!collect) {
  try {
    v8.setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc')
  } catch {}
}

const KINDS = { ports: MessagePort, signals: AbortSignal, shared: SharedArrayBuffer, functions: Function }

/** How long to wait for garbage. */
const SETTLE_TIMEOUT_MS = 2500
/** Ended calls can leave this many at any time. A leak soon exceeds it. */
const FEW_SIGNALS = 4

/** Collects all garbage before it counts. */
const countObjects = kind => v8.queryObjects(KINDS[kind], { format: 'count' })

/** Resolves with the number of signals. They come and go for a while after their calls; a leak is in every count. */
async function settle() {
  const end = performance.now() + SETTLE_TIMEOUT_MS
  for (let wait = 100; ; wait *= 2) {
    collect?.()
    // The count also collects objects that finalizers released.
    await new Promise(resolve => setTimeout(resolve, 5))
    const signals = countObjects('signals')
    const left = end - performance.now()
    if (signals <= FEW_SIGNALS || left <= 0) return signals
    await new Promise(resolve => setTimeout(resolve, Math.min(wait, left)))
  }
}

let measured = 0
/** Tells a restarted actor apart: it has another heap. In its namespace every process has the same id. */
const generation = crypto.randomUUID()

export async function memory() {
  // The verdict ignores these rounds, and each count collects all garbage several times, which takes a tenth of a second.
  const isIgnored = measured++ < WARM_UP
  const signals = isIgnored ? 0 : await settle()
  const counts = {}
  for (const kind of ['ports', 'shared', 'functions']) {
    // The thread answers its heartbeats between two counts.
    await new Promise(resolve => setImmediate(resolve))
    counts[kind] = isIgnored ? 0 : countObjects(kind)
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    generation,
    // A process with a sandbox cannot collect garbage, so its heap and buffers are not counted.
    ...(collect && { heap: heapUsed, external }),
    ...(isMainThread && { rss }),
    signals,
    ...counts,
  }
}
