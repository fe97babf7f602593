// What a thread holds once its garbage is collected: its heap, and how many objects of the kinds that leak.
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, MessagePort, threadId } from 'node:worker_threads'

// Frontends in a sandbox can't set flags: they begin with those of the host.
let collect = globalThis.gc
if (!collect) {
  try {
    v8.setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc')
  } catch {}
}

const KINDS = { ports: MessagePort, signals: AbortSignal, shared: SharedArrayBuffer, functions: Function }

export async function memory() {
  // What finalizers let go of in the first collection goes with the second.
  for (let i = 0; i < 3; i++) {
    collect?.()
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  const counts = Object.entries(KINDS).map(([kind, of]) => [kind, v8.queryObjects(of, { format: 'count' })])
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    // Another life of the same actor has another heap.
    life: isMainThread ? process.pid : threadId,
    // In a process with a sandbox nothing collects what buffers hold.
    ...(collect && { heap: heapUsed, external }),
    ...(isMainThread && { rss }),
    ...Object.fromEntries(counts),
  }
}
