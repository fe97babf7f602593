// The promise of a bus, as the tests of faults ask for it: whatever breaks, each pending call settles with a typed error, the
// others go on, it serves again or says that it has given up, it tells so, and nothing is left once it is closed.
import { readdirSync } from 'node:fs'
import { pino } from 'pino'
import { expect } from 'vitest'
import { createBus, isBusError, type Bus, type BusErrorReason, type BusOptions } from '../../src/index.js'
import { eventually, soon, type Told } from '../supervised.js'

/** A bus, and all that it has told since it was started. */
export interface Watched {
  bus: Bus
  told: Told[]
  /** What is in its log. */
  lines: { msg: string; label?: string; level: number; err?: { message: string } }[]
  /** Closes it, and looks for what it has left. */
  close(): Promise<void>
}

export async function watch(options: BusOptions): Promise<Watched> {
  const before = footprint()
  const lines: Watched['lines'] = []
  const log = pino({ level: 'info' }, { write: line => void lines.push(JSON.parse(line) as Watched['lines'][number]) })
  const bus = await createBus({ supervision: soon, log, ...options })
  const told: Told[] = []
  for (const name of ['fault', 'restart', 'failed'] as const) bus.on(name, event => void told.push({ name, ...event }))
  const close = async (): Promise<void> => {
    await bus.close({ timeout: 0 })
    await expect.poll(() => grown(before, footprint()), { timeout: 10_000 }).toEqual([])
  }
  return { bus, told, lines, close }
}

export interface Expected {
  /** Who breaks: `core` or a frontend, also where it is that one's gate. */
  label: string
  /** In flight while it breaks, by their names. */
  calls: Readonly<Record<string, Promise<unknown>>>
  /** How they may settle; `Disconnected` unless given. */
  reasons?: readonly (BusErrorReason | 'resolved')[]
  /** Milliseconds until the last has settled, for a machine with much to do. */
  within?: number
  /** And until it has told all of it. */
  toldWithin?: number
  /** A call of somebody whom it does not concern: it must succeed. */
  others?(): Promise<unknown>
  /** Succeeds once the bus serves again what has broken; `'failed'` where it is to give up. */
  serves: 'failed' | (() => Promise<unknown>)
  /** The events that it tells of that label, in their order: the names unless given. None for what must be let alone. */
  told?: readonly (Told['name'] | object)[]
}

/** Call this in the turn in which it breaks; what `serves` has given is given back. */
export async function checkPromise({ told, lines }: Watched, expected: Expected): Promise<unknown> {
  const { label, calls, reasons = ['Disconnected'], within = 10_000, toldWithin = 10_000, others, serves } = expected
  const outcomes: Record<string, string> = {}
  for (const [name, call] of Object.entries(calls)) {
    outcomes[name] = 'pending'
    call.then(
      () => (outcomes[name] = 'resolved'),
      (error: unknown) => (outcomes[name] = isBusError(error) ? error.reason : `not typed: ${String(error)}`),
    )
  }
  await others?.()
  const wrong = (): string[] =>
    Object.entries(outcomes)
      .filter(([, outcome]) => !(reasons as string[]).includes(outcome))
      .map(entry => entry.join(': '))
  await expect.poll(wrong, { timeout: within, interval: 10, message: `calls while ${label} breaks` }).toEqual([])
  const served = serves === 'failed' ? undefined : await eventually(serves)
  const { told: events = serves === 'failed' ? ['fault', 'failed'] : ['fault', 'restart'] } = expected
  const ofLabel = () => told.filter(event => event.label === label)
  await expect
    .poll(ofLabel, { timeout: toldWithin })
    .toMatchObject(events.map(event => (typeof event === 'string' ? { name: event } : event)))
  for (const { name, error } of ofLabel()) {
    expect(error, `${name} of ${label} says why`).toMatchObject({ message: expect.stringMatching(/./) as string })
    const message = name === 'restart' ? 'is started again' : name
    const logged = lines.filter(line => line.msg === message && line.label === label && line.level >= 40)
    expect(logged.length, `${name} of ${label} is in the log`).toBeGreaterThan(0)
  }
  await others?.()
  return served
}

/** Threads, descriptors, listeners and handles of this process. */
function footprint(): Record<string, number> {
  const count = (folder: string): number => {
    try {
      return readdirSync(folder).length
    } catch {
      return 0
    }
  }
  const listeners = process.eventNames().map(name => process.listenerCount(name))
  return {
    threads: count('/proc/self/task'),
    descriptors: count('/proc/self/fd'),
    listeners: listeners.reduce((sum, each) => sum + each, 0),
    handles: process.getActiveResourcesInfo().filter(kind => kind !== 'Timeout' && kind !== 'Immediate').length,
  }
}

const grown = (before: Record<string, number>, after: Record<string, number>): string[] =>
  Object.keys(before)
    .filter(kind => after[kind]! > before[kind]!)
    .map(kind => `${kind}: ${before[kind]} → ${after[kind]}`)
