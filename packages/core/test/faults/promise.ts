// The promise of a bus, as the tests of faults ask for it: whatever breaks, each pending call settles with a typed error, the
// others go on, it serves again or says that it has given up, it tells so, and nothing is left once it is closed.
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pino } from 'pino'
import { expect, vi } from 'vitest'
import { createBus, isBusError, type Bus, type BusErrorReason, type BusOptions } from '../../src/index.js'
import { soon, type ReportedEvent } from '../supervised.js'

/** A bus, and all that it has told since it was started. */
export interface Watched {
  bus: Bus
  told: ReportedEvent[]
  /** What is in its log. */
  lines: { msg: string; label?: string; level: number; err?: { message: string } }[]
  /** Closes it, and looks for what it has left: at a time when no other bus of this process is open. */
  close(): Promise<void>
}

export async function watch(options: BusOptions): Promise<Watched> {
  // Node starts its own threads for files as they are first asked for.
  await stat('.')
  const before = footprint()
  const lines: Watched['lines'] = []
  const log = pino({ level: 'info' }, { write: line => void lines.push(JSON.parse(line) as Watched['lines'][number]) })
  const bus = await createBus({ supervision: soon, log, ...options })
  const told: ReportedEvent[] = []
  for (const name of ['fault', 'restart', 'failed'] as const) bus.on(name, event => void told.push({ name, ...event }))
  const close = async (): Promise<void> => {
    await bus.close({ timeout: 0 })
    await until(10_000, () => expect(grown(before, footprint())).toEqual([]))
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
  told?: readonly (ReportedEvent['name'] | object)[]
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
  await until(within, () => expect(wrong(), `calls while ${label} breaks`).toEqual([]))
  const served = serves === 'failed' ? undefined : await until(15_000, serves)
  const { told: events = serves === 'failed' ? ['fault', 'failed'] : ['fault', 'restart'] } = expected
  const ofLabel = () => told.filter(event => event.label === label)
  const wanted = events.map(event => (typeof event === 'string' ? { name: event } : event))
  await until(toldWithin, () => expect(ofLabel()).toMatchObject(wanted))
  for (const { name, error } of ofLabel()) {
    expect(error, `${name} of ${label} says why`).toMatchObject({ message: expect.stringMatching(/./) as string })
    const message = name === 'restart' ? 'is started again' : name
    const logged = lines.filter(line => line.msg === message && line.label === label && line.level >= 40)
    expect(logged.length, `${name} of ${label} is in the log`).toBeGreaterThan(0)
  }
  await others?.()
  return served
}

/** As `expect.poll`, which is for one test at a time, and for no hook. */
const until = <T>(timeout: number, look: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(look, { timeout, interval: 10 })

/** Threads, descriptors, listeners and handles of this process. */
function footprint(): Record<string, number> {
  const counts: Record<string, number> = { threads: list('/proc/self/task').length, listeners: 0 }
  const count = (kind: string): void => void (counts[kind] = (counts[kind] ?? 0) + 1)
  for (const name of process.eventNames()) counts['listeners']! += process.listenerCount(name)
  // The folder that is read is one itself, and has gone by then.
  const kinds = list('/proc/self/fd').map(descriptor => kindOf(`/proc/self/fd/${descriptor}`))
  for (const kind of kinds) if (!isModule(kind)) count(`descriptor of ${kind}`)
  for (const kind of process.getActiveResourcesInfo()) if (!/^(Timeout|Immediate)$/.test(kind)) count(`handle: ${kind}`)
  return counts
}

/** None where there is no such folder: only Linux has these. */
const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : [])

/** Node 20 itself leaves a module's file open where a thread ends while it loads: docs/supervision.md. */
const LEAVES_MODULES = process.version.startsWith('v20.')
const isModule = (kind: string): boolean => LEAVES_MODULES && /^\/.*\.[cm]?js$/.test(kind)

function kindOf(descriptor: string): string {
  try {
    return readlinkSync(descriptor).replace(/:\[\d+\]$/, '')
  } catch {
    return 'nothing'
  }
}

const grown = (before: Record<string, number>, after: Record<string, number>): string[] =>
  Object.entries(after)
    .filter(([kind, now]) => now > (before[kind] ?? 0))
    .map(([kind, now]) => `${kind}: ${before[kind] ?? 0} → ${now}`)
