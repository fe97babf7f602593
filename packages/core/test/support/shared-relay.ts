// Processes of one bus whose relays share a thread.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Worker } from 'node:worker_threads'
import type { Bus } from '../../src/index.js'

/** In a wall, each process has the same id. */
export const PROCESS = { kind: 'process', wall: 'none' } as const

const source = `import { expose } from '@sallyport/frontend'; expose({ pid: () => process.pid })`

/** Returns the threads that start until `end`, and the ids of the processes. */
export async function openProcesses(
  bus: Bus,
  labels: readonly string[],
): Promise<{ relays: Worker[]; pids: number[] }> {
  const relays: Worker[] = []
  const keep = (message: unknown): void => void relays.push((message as { worker: Worker }).worker)
  subscribe('worker_threads', keep)
  try {
    for (const label of labels) await bus.open(label, { source, name: 'it.js' }, { sandbox: PROCESS, allow: '*' })
  } finally {
    unsubscribe('worker_threads', keep)
  }
  return { relays, pids: await Promise.all(labels.map(label => bus.call<number>(label, 'pid'))) }
}
