// Access to the threads of a bus: the latest thread of each frontend and gate, to terminate it, and gates that fail when a hook logs
// `fault <name>`. Tests mock life/workers/spawn.js with this module.
import { readFileSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import type * as Spawn from '../../../src/life/workers/spawn.js'

const threads = new Map<string, Worker>()

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8')

/** Code that runs in a gate before its own. */
const prelude = (entry: string): string => `${read('./inject.mjs')}\n${read('./gate-prelude.mjs')}
await import(${JSON.stringify(entry)})`

/** Terminates the thread of a frontend, or `gate of <label>`, as if the thread had exited by itself. */
export function terminate(name: string): void {
  void threads.get(name)!.terminate()
}

export async function reaching(original: () => Promise<typeof Spawn>): Promise<typeof Spawn> {
  const spawn = await original()
  return {
    ...spawn,
    spawnWorker(entry, data, transfer, more) {
      const isGate = typeof entry === 'string' && entry.includes('isolation') && data !== undefined
      const start = isGate ? `data:text/javascript,${encodeURIComponent(prelude(entry))}` : entry
      const worker = spawn.spawnWorker(start, data, transfer, more)
      const keep = (started: unknown): void => {
        const { label } = Object(started) as { label?: string }
        if (label !== undefined) threads.set(`${isGate ? 'gate of ' : ''}${label}`, worker)
      }
      keep(data)
      if (!isGate) return worker
      // The first message to a gate has its label.
      const post = worker.postMessage.bind(worker)
      worker.postMessage = (message: unknown, list?: never) => {
        keep(message)
        post(message, list)
      }
      return worker
    },
  }
}
