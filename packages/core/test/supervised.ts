// What the tests of supervision share: a bus over the fixtures that can be ended, and what it tells of restarts.
import { expect } from 'vitest'
import type { Bus, BusOptions, Client } from '../src/index.js'
import { fixture, isolation, start } from './start.js'

const commands = ['which', 'end', 'block', 'wait', 'fill', 'count', 'keep', 'kept', 'ask', 'add']
const capability = {
  identifier: 'all',
  windows: ['*'],
  permissions: commands.slice(0, -1).map(name => `allow-${name}`),
}

export const patterns: [name: string, app: NonNullable<BusOptions['app']>][] = [
  ['brownfield', {}],
  ['isolation', isolation('stuck', { hookTimeout: 1500 }, capability)],
]

export interface ReportedEvent {
  name: 'fault' | 'restart' | 'failed'
  label: string
  actor?: string
  restarts?: number
  error: Error
}

/** Restarts come soon, and many are allowed: how many come within a period is chance on a loaded machine. */
export const soon = { delay: { min: 20, max: 100 }, intensity: 1000 }

export async function supervise(options: Partial<BusOptions> = {}): Promise<{ bus: Bus; told: ReportedEvent[] }> {
  const bus = await start({ core: fixture('reborn.mjs'), supervision: soon, ...options })
  const told: ReportedEvent[] = []
  for (const name of ['fault', 'restart', 'failed'] as const) {
    bus.on(name, event => void told.push({ name, ...event }))
  }
  return { bus, told }
}

export const at = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`)

/** Resolves with what this gives, once it does not reject any more. */
export async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  let result: { value: T } | undefined
  await expect
    .poll(
      async () => {
        result = await ask().then(
          value => ({ value }),
          () => undefined,
        )
        return result !== undefined
      },
      { timeout: 15_000, interval: 10 },
    )
    .toBe(true)
  return result!.value
}

export const disconnected = (delivered: 'no' | 'unknown') => ({ reason: 'Disconnected', data: { delivered } })

/** Ends core, and gives what its callers are told. */
export async function endCore(client: Client): Promise<void> {
  await expect(client.invoke('end', { how: 'throw' })).rejects.toMatchObject(disconnected('unknown'))
}
