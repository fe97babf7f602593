// Helpers for tests of supervision: a bus whose workers end on request, and a record of what it reports.
import { expect, onTestFinished, vi } from 'vitest'
import type { Bus, BusOptions, Client } from '../../src/index.js'
import { fixture, isolation, start } from './start.js'
import { choose } from '../../../../scripts/testing.js'

const commands = ['which', 'end', 'block', 'wait', 'fill', 'count', 'keep', 'kept', 'ask', 'add']
const capability = {
  identifier: 'all',
  windows: ['*'],
  permissions: commands.slice(0, -1).map(name => `allow-${name}`),
}

/** Hooks always return: no gate counts as stuck, however busy the machine is. */
export const patientPatterns: [name: string, app: Partial<BusOptions>][] = choose([
  ['brownfield', {}],
  ['isolation', isolation('stuck', {}, capability)],
])

export interface ReportedEvent {
  name: 'fault' | 'restart' | 'failed'
  label: string
  worker?: string
  restarts?: number
  error: Error
}

/** Short delays and many restarts: how many fall into a period is random on a busy machine. */
export const soon = { delay: { min: 20, max: 100 }, intensity: 1000 }

export async function supervise(options: Partial<BusOptions> = {}): Promise<{ bus: Bus; events: ReportedEvent[] }> {
  const bus = await start({ core: fixture('supervision/reborn.mjs'), supervision: soon, ...options })
  const events: ReportedEvent[] = []
  for (const name of ['fault', 'restart', 'failed'] as const) {
    bus.on(name, event => void events.push({ name, ...event }))
  }
  return { bus, events }
}

export const at = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`)

/** Repeats the call until it no longer rejects. */
export async function eventually<T>(call: () => Promise<T>): Promise<T> {
  const tried = async () => ({ value: await call() })
  let result: { value: T } | undefined
  await expect.poll(async () => (result = await tried().catch(() => undefined)) !== undefined).toBe(true)
  return result!.value
}

/**
 * From now on the timers of this thread, which is the host, run only as the test says. Other threads have their own clock: whose heartbeat is
 * watched has to be blocked.
 */
export function takeClock(only: 'polls of heartbeats' | 'all' = 'all'): void {
  const timeouts = only === 'all' ? (['setTimeout', 'clearTimeout'] as const) : []
  vi.useFakeTimers({ toFake: [...timeouts, 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
}

/** Lets time pass, a quarter of a minute at once, until the promise has settled. */
export async function settle(promise: Promise<unknown>): Promise<void> {
  let isSettled = false
  promise.catch(() => {}).finally(() => (isSettled = true))
  await expect.poll(() => isSettled || (vi.advanceTimersByTime(15_000), isSettled)).toBe(true)
}

export const disconnected = (delivered: 'no' | 'unknown') => ({ reason: 'Disconnected', data: { delivered } })

/** Crashes core, and expects the error that callers get. */
export async function endCore(client: Client): Promise<void> {
  await expect(client.invoke('end', { how: 'throw' })).rejects.toMatchObject(disconnected('unknown'))
}
