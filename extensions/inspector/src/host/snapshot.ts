// The data of the page: figures and states of a bounded number of frontends, and the commands that one of them may call.
import { getWorkerName } from '@sallyport/protocol/internal/contract'
import { basename } from 'node:path'
import type { BusStats } from '@sallyport/core'
import type { FrontendStats, InspectedBus, WorkerStatus } from '@sallyport/core/internal'
import { type CommandStats, MAX_NAME_LENGTH } from '../contract/call-report.js'
import type {
  Blocked,
  BlockedThread,
  Culprit,
  ExplainedCommand,
  Flood,
  FrontendView,
  Measurement,
  ShownAccess,
  Snapshot,
  Total,
  Totals,
} from '../contract/views.js'
import { describeError, toPrintable } from './texts.js'

const BUILT_IN = '(built-in)'
export const MAX_SHOWN = 100
const MAX_ACCESS = 2000
const MAX_SCOPE = 500

export interface SnapshotSource extends Pick<Snapshot, 'bus' | 'since'> {
  stats: BusStats
  /** `undefined` if core does not answer. */
  measurement: Measurement | undefined
  workerStatus: ReadonlyMap<string, WorkerStatus>
  getInfo: InspectedBus['getInfo']
  /** Milliseconds until a frontend restarts. */
  getDelay(label: string): number | undefined
  blockedCore: Blocked | undefined
  blockedFrontends: ReadonlyMap<string, BlockedThread>
  flood: Flood | undefined
}

type PerPage =
  | 'lastMinute'
  | 'frontends'
  | 'found'
  | 'selected'
  | 'commands'
  | 'calls'
  | 'recent'
  | 'culprits'
  | 'moreCulprits'

/** Two pages of two programs would look the same, but no path is shown. */
const toFileName = (path: string): string => toPrintable(basename(path), MAX_NAME_LENGTH)

export function getSummary(source: SnapshotSource, totals: Totals): Omit<Snapshot, PerPage> {
  const { stats, bus, measurement, since, blockedCore } = source
  const { uptime, core, host, frontends, spares } = stats
  const all = Object.values(frontends)
  const ended = all.filter(({ state }) => hasEnded(state)).length
  return {
    uptime,
    program: {
      name: toFileName(process.argv[1] ?? 'node'),
      pid: process.pid,
      directory: toFileName(process.cwd()),
      node: process.version.slice(1),
    },
    at: Date.now(),
    bus,
    core: { ...core, answers: measurement !== undefined, blocked: blockedCore },
    totals: { ...totals, slow: core.slow },
    queued: all.reduce((sum, { queued }) => sum + queued, host.queued),
    inFlight: core.inFlight,
    ...(host.calls + host.events.in + host.events.out > 0 && { host }),
    open: all.length - ended,
    ended,
    spares,
    since,
  }
}

const hasEnded = (state: FrontendStats['state']): boolean => state === 'failed' || state === 'stopped'

/**
 * Returns the frontends whose labels contain `find`, in the order of opening, but those that need attention first, then those that are not
 * running.
 */
export function getFrontends(
  source: SnapshotSource,
  find: string,
  culprits: readonly Culprit[],
): Pick<Snapshot, 'frontends' | 'found'> {
  const part = find.toLowerCase()
  const found = Object.entries(source.stats.frontends).filter(([label]) => label.toLowerCase().includes(part))
  const isUnwell = isUnwellIn(source)
  const named = new Set(culprits.flatMap(({ label, labels = [label] }) => labels))
  const groups: (typeof found)[] = [[], [], []]
  for (const entry of found) groups[named.has(entry[0]) ? 0 : isUnwell(entry) ? 1 : 2]!.push(entry)
  const shown = groups.flat().slice(0, MAX_SHOWN)
  return { found: found.length, frontends: shown.map(([label, frontend]) => getFrontend(label, frontend, source)) }
}

/** Returns those that are not running, or do not respond. A bus that closes stops all others. */
export function getUnwell(source: SnapshotSource): FrontendView[] {
  const frontends = Object.entries(source.stats.frontends)
  const isUnwell = source.bus === 'draining' ? hasFailed : isUnwellIn(source)
  const unwell = frontends.filter(isUnwell).slice(0, MAX_SHOWN)
  return unwell.map(([label, frontend]) => getFrontend(label, frontend, source))
}

const hasFailed = ([, { state }]: readonly [string, FrontendStats]): boolean => state === 'failed'

const isUnwellIn =
  ({ blockedFrontends }: SnapshotSource) =>
  ([label, { state, gate }]: readonly [string, FrontendStats]): boolean =>
    (state !== 'running' && state !== 'disconnected') ||
    (gate !== undefined && gate.state !== 'running') ||
    blockedFrontends.has(label)

function getFrontend(label: string, stats: FrontendStats, source: SnapshotSource): FrontendView {
  const { workerStatus, getInfo, getDelay, blockedFrontends } = source
  const { served: _, ...shown } = stats
  const usage = workerStatus.get(getWorkerName('frontend', label))?.usage
  const { sandbox, startedAt, error } = getInfo(label) ?? {}
  const restartsIn = stats.state === 'backingOff' ? getDelay(label) : undefined
  const { ms: blockedMs, waitsFor } = blockedFrontends.get(label) ?? {}
  return {
    ...{ ...shown, label },
    ...(usage && { usage }),
    ...(sandbox && { sandbox }),
    ...(startedAt !== undefined && { startedAt }),
    ...(error && describeError(error)),
    ...(restartsIn !== undefined && { restartsIn }),
    ...(blockedMs !== undefined && { blockedMs }),
    ...(waitsFor !== undefined && { waitsFor }),
  }
}

/** Callers of a command that are shown unless a frontend is selected. */
const MAX_CALLERS = 5

/** @param label - leaves out the calls of others */
export function getCommands(commands: readonly CommandStats[], label: string | undefined): CommandStats[] {
  return commands.flatMap((stats): CommandStats[] => {
    const view = { ...stats, command: toPrintable(stats.command, MAX_NAME_LENGTH) }
    if (label === undefined) {
      const callers = stats.callers.slice(0, MAX_CALLERS)
      return [{ ...view, callers, moreCallers: stats.moreCallers + stats.callers.length - callers.length }]
    }
    const caller = stats.callers.find(each => each.label === label)
    if (!caller) return []
    const { oldest, ...others } = view
    const isOldest = oldest?.label === label
    return [{ ...others, ...caller, ...(isOldest && { oldest }), callers: [caller], moreCallers: 0 }]
  })
}

/** Returns the figures of one frontend in the place of those of the bus. `core` and `host` have no row of their own. */
export function getSelected(
  { stats, measurement }: SnapshotSource,
  label: string,
  slow: number,
): Pick<Snapshot, 'selected' | 'totals' | 'queued' | 'inFlight'> {
  const found: Partial<FrontendStats> = (label === 'host' ? stats.host : stats.frontends[label]) ?? {}
  const totals = { ...getCounters(found), slow }
  // Calls of the host to its functions are counted as traffic of the host.
  for (const { command, callers } of measurement?.watched?.commands ?? []) {
    if (!command.startsWith(`bus.call ${label} `)) continue
    for (const { failures } of callers) totals.failures += sum(Object.values(failures))
  }
  return { selected: label, totals, queued: found.queued ?? 0, inFlight: found.inFlight ?? 0 }
}

const sum = (counts: readonly number[]): number => counts.reduce((total, each) => total + each, 0)

/** Sums of all frontends. A frontend that ends, or begins again with the same label, does not make them fall. */
export class RunningTotals {
  readonly #totals: Record<Total, number> = getCounters({})
  #last: ReadonlyMap<string, Totals> | undefined

  /** @param onGrowth - called for each frontend of which more was refused or dropped since the previous update */
  update({ core, host, frontends }: BusStats, onGrowth: (growth: Growth) => void = () => {}): Totals {
    const next = new Map<string, Totals>()
    for (const [label, stats] of [['', host], ...Object.entries(frontends)] as const) {
      const [counters, last] = [getCounters(stats), this.#last?.get(label)]
      next.set(label, counters)
      const getGrowth = (key: Total): number => {
        const before = last?.[key] ?? 0
        return counters[key] - (counters[key] < before ? 0 : before)
      }
      for (const key of Object.keys(counters) as Total[]) this.#totals[key] += getGrowth(key)
      // What had happened before the inspector was opened is not recent.
      const growth = { label: label || 'host', unsent: getGrowth('unsent'), dropped: getGrowth('dropped') }
      if (this.#last && growth.unsent + growth.dropped > 0) onGrowth(growth)
    }
    this.#last = next
    return { ...this.#totals, restarts: this.#totals.restarts + core.restarts }
  }
}

export interface Growth {
  label: string
  unsent: number
  dropped: number
}

function getCounters(stats: Partial<FrontendStats>): Totals {
  const { calls = 0, failures = 0, denied = 0, overloaded = 0, unsent = 0, rejected = 0 } = stats
  const { restarts = 0, events, bytes, gate } = stats
  return {
    ...{ calls, failures, denied, overloaded, unsent, rejected, restarts: restarts + (gate?.restarts ?? 0) },
    events: events ? events.in + events.out : 0,
    dropped: events?.dropped ?? 0,
    bytes: bytes ? bytes.in + bytes.out : 0,
  }
}

/** Returns what a frontend may call now, with changes at run time. Never rejects. */
export async function explainAccess(bus: InspectedBus, label: string): Promise<ShownAccess> {
  try {
    const { capabilities, commands } = await bus.explain(label)
    return {
      capabilities: capabilities.slice(0, MAX_ACCESS).map(name => toPrintable(name, MAX_NAME_LENGTH)),
      more: Math.max(0, commands.length - MAX_ACCESS),
      commands: commands
        .toSorted((a, b) => getRank(a) - getRank(b))
        .slice(0, MAX_ACCESS)
        .map(({ command, access, by, scope }) => ({
          command: toPrintable(command, MAX_NAME_LENGTH),
          access,
          by: toPrintable(by.map(({ capability, permission }) => `${capability}: ${permission}`).join(', '), MAX_SCOPE),
          scope: scope ? toPrintable(JSON.stringify(scope), MAX_SCOPE) : '',
        })),
    }
  } catch (error) {
    return { error: toPrintable((error as Error).message, MAX_SCOPE), capabilities: [], commands: [], more: 0 }
  }
}

/** Tauri's core plugins. */
const CORE_PLUGINS = /^plugin:(?:app|event|image|menu|path|resources|tray|webview|window)\|/

/** Commands of the bus itself stand behind the program's own, and last those that every frontend may call: there is nothing to decide about them. */
function getRank({ command, by }: ExplainedCommand): number {
  if (by.some(({ capability }) => capability === BUILT_IN)) return 2
  return CORE_PLUGINS.test(command) ? 1 : 0
}
