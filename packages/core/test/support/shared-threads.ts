// Threads that a test counts and ends, and the events of a bus whose frontends or gates share them.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Worker } from 'node:worker_threads'
import { afterTests } from '../../../../scripts/testing.js'
import type { Bus } from '../../src/index.js'

/** The threads that have started since `collectWorkers`. */
export const workers: Worker[] = []
const keep = (message: unknown): void => void workers.push((message as { worker: Worker }).worker)
const forget = (): void => {
  unsubscribe('worker_threads', keep)
  workers.length = 0
}
afterTests.each.push(forget)

export function collectWorkers(): void {
  forget()
  subscribe('worker_threads', keep)
}

/** Returns events of the bus from now on: faults as `label: message`, the others as labels. */
export function watch(bus: Bus): Record<'faults' | 'restarts' | 'failed', string[]> {
  const events: ReturnType<typeof watch> = { faults: [], restarts: [], failed: [] }
  bus.on('fault', ({ label, error }) => events.faults.push(`${label}: ${error.message}`))
  bus.on('restart', ({ label }) => events.restarts.push(label))
  bus.on('failed', ({ label }) => events.failed.push(label))
  return events
}
