// Reaches into threads that a bus has started: the latest of each frontend and gate, to be ended from outside as nobody should,
// and gates that break inside where a hook writes `fault <name>` to its console. A test of these mocks host/spawn.js with this.
import { readFileSync } from 'node:fs'
import { deserialize } from 'node:v8'
import type { Worker } from 'node:worker_threads'
import type * as Spawn from '../../src/host/workers/spawn.js'

/** Of gates whose heap is to run over. */
const SMALL = { resourceLimits: { maxOldGenerationSizeMb: 48 } }

const threads = new Map<string, Worker>()

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8')

/** Runs in a gate before anything else does. */
const prelude = (entry: string): string => `${read('./inject.mjs')}\n${read('./gate-prelude.mjs')}
await import(${JSON.stringify(entry)})`

/** Ends the thread of a frontend, or `gate of` one, as if it had ended by itself. */
export function terminate(name: string): void {
  void threads.get(name)!.terminate()
}

/** The relay of a process has it in what it hands on. */
const labelled = (data: object): { label?: string } =>
  'start' in data ? (deserialize(data.start as Uint8Array) as { label: string }) : data

export async function reaching(original: () => Promise<typeof Spawn>): Promise<typeof Spawn> {
  const spawn = await original()
  return {
    ...spawn,
    spawnWorker(entry, data, transfer, more) {
      const isGate = typeof entry === 'string' && entry.includes('isolation') && 'watch' in data
      const start = isGate ? `data:text/javascript,${encodeURIComponent(prelude(entry))}` : entry
      const { label } = labelled(data)
      const worker = spawn.spawnWorker(start, data, transfer, {
        ...more,
        ...(isGate && label?.startsWith('heap') && SMALL),
      })
      if (label !== undefined) threads.set(`${isGate ? 'gate of ' : ''}${label}`, worker)
      return worker
    },
  }
}
