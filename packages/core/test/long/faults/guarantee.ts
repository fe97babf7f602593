// The guarantee of a bus that the tests of faults check: whatever breaks, each pending call settles with a typed error, others are not
// affected, the bus serves again or reports that it failed, and nothing is left after close.
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pino } from 'pino'
import { expect, vi } from 'vitest'
import { createBus, isBusError, type Bus, type BusErrorReason, type BusOptions } from '../../../src/index.js'
import { allowAll } from '../../support/start.js'
import { soon, type ReportedEvent } from '../../support/supervised.js'

/** Just below that of a test, so that it says what did not come. */
const LIMIT = 55_000

/** A bus, with all events and log lines since its start. */
export interface Watched {
  bus: Bus
  events: ReportedEvent[]
  lines: { msg: string; label?: string; level: number; delay?: number; err?: { message: string } }[]
  /** Closes the bus, and checks that nothing is left. No other bus of this process can be open meanwhile. */
  close(): Promise<void>
}

export async function watch(options: BusOptions): Promise<Watched> {
  // Node starts its thread pool with the first file access.
  await stat('.')
  const before = countResources()
  const lines: Watched['lines'] = []
  const log = pino({ level: 'info' }, { write: line => void lines.push(JSON.parse(line) as Watched['lines'][number]) })
  const bus = await createBus({ supervision: soon, log, ...allowAll(options) })
  const events: ReportedEvent[] = []
  for (const name of ['fault', 'restart', 'failed'] as const)
    bus.on(name, event => void events.push({ name, ...event }))
  const close = async (): Promise<void> => {
    await bus.close({ timeout: 0 })
    await until(LIMIT, () => expect(getGrowth(before, countResources())).toEqual([]))
  }
  return { bus, events, lines, close }
}

export interface Expected {
  /** `core`, or the frontend that fails or whose gate fails. */
  label: string
  /** Calls in flight during the failure, by name. */
  calls: Readonly<Record<string, Promise<unknown>>>
  /** How the calls can settle. @default ['Disconnected'] */
  reasons?: readonly (BusErrorReason | 'resolved')[]
  /** Milliseconds until the last call has settled, on a busy machine. */
  settleTimeout?: number
  /** Milliseconds until all events have been emitted. */
  eventTimeout?: number
  /** A call that the failure must not affect. */
  others?(): Promise<unknown>
  /** A call that succeeds once the bus serves again; `'failed'` if it must not restart. */
  serves: 'failed' | (() => Promise<unknown>)
  /** The events of that label, in order. Empty if the failure must not end anything. */
  events?: readonly (ReportedEvent['name'] | object)[]
}

/** To be called in the tick of the failure. Returns the result of `serves`. */
export async function checkGuarantee({ events, lines }: Watched, expected: Expected): Promise<unknown> {
  const { label, calls, reasons = ['Disconnected'], others, serves } = expected
  const { settleTimeout = LIMIT, eventTimeout = LIMIT } = expected
  const outcomes: Record<string, string> = {}
  for (const [name, call] of Object.entries(calls)) {
    outcomes[name] = 'pending'
    call.then(
      () => (outcomes[name] = 'resolved'),
      (error: unknown) => (outcomes[name] = isBusError(error) ? error.reason : `untyped: ${String(error)}`),
    )
  }
  await others?.()
  const getUnexpected = (): string[] =>
    Object.entries(outcomes)
      .filter(([, outcome]) => !(reasons as string[]).includes(outcome))
      .map(entry => entry.join(': '))
  await until(settleTimeout, () => expect(getUnexpected(), `calls while ${label} fails`).toEqual([]))
  const served = serves === 'failed' ? undefined : await until(LIMIT, serves)
  const { events: names = serves === 'failed' ? ['fault', 'failed'] : ['fault', 'restart'] } = expected
  const getEvents = () => events.filter(event => event.label === label)
  const wanted = names.map(event => (typeof event === 'string' ? { name: event } : event))
  await until(eventTimeout, () => expect(getEvents()).toMatchObject(wanted))
  for (const { name, error } of getEvents()) {
    expect(error, `${name} of ${label} has an error`).toMatchObject({ message: expect.stringMatching(/./) as string })
    // The line of a fault has the restart, unless another worker failed with the same error before.
    const isLogged = ({ msg, delay }: Watched['lines'][number]): boolean =>
      name === 'restart' ? msg === 'restarting' || (msg === 'fault' && delay !== undefined) : msg.split(':')[0] === name
    const logged = lines.filter(line => isLogged(line) && line.label === label && line.level >= 40)
    expect(logged.length, `${name} of ${label} is in the log`).toBeGreaterThan(0)
  }
  await others?.()
  return served
}

/** Like `expect.poll`, which supports neither concurrent tests nor hooks. */
const until = <T>(timeout: number, check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout, interval: 10 })

/** Counts threads, descriptors, listeners and handles of this process. */
export function countResources(): Record<string, number> {
  const counts: Record<string, number> = { threads: readDirectory('/proc/self/task').length, listeners: 0 }
  const count = (kind: string): void => void (counts[kind] = (counts[kind] ?? 0) + 1)
  for (const name of process.eventNames()) counts['listeners']! += process.listenerCount(name)
  // The directory's own descriptor is among them, and is closed by then.
  const kinds = readDirectory('/proc/self/fd').map(descriptor => getKind(`/proc/self/fd/${descriptor}`))
  for (const kind of kinds) if (!isModule(kind)) count(`descriptor of ${kind}`)
  for (const kind of process.getActiveResourcesInfo()) if (!/^(Timeout|Immediate)$/.test(kind)) count(`handle: ${kind}`)
  return counts
}

/** Returns nothing for a missing directory: only Linux has these. */
const readDirectory = (path: string): string[] => (existsSync(path) ? readdirSync(path) : [])

/** Node 20 leaves a module's file open when a thread exits while it loads the module. */
const LEAVES_MODULES = process.version.startsWith('v20.')
const isModule = (kind: string): boolean => LEAVES_MODULES && /^\/.*\.[cm]?js$/.test(kind)

function getKind(descriptor: string): string {
  try {
    return readlinkSync(descriptor).replace(/:\[\d+\]$/, '')
  } catch {
    return 'nothing'
  }
}

export const getGrowth = (before: Record<string, number>, after: Record<string, number>): string[] =>
  Object.entries(after)
    .filter(([kind, now]) => now > (before[kind] ?? 0))
    .map(([kind, now]) => `${kind}: ${before[kind] ?? 0} → ${now}`)
