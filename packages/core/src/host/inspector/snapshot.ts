// The data of the page: figures and states of a bounded number of frontends, and the commands that one of them may call.
import type { AnyStateMachine } from 'xstate'
import type { ExplainedCommand, ExplainedFrontend } from '../../acl/explain.js'
import { BUILT_IN } from '../../acl/types.js'
import type { Measurement } from '../../contract/host-core.js'
import type { CommandStats } from '../../shared/call-watch.js'
import { MAX_NAME_LENGTH } from '../../shared/suggest.js'
import type { FrontendInfo } from '../frontends/frontend-info.js'
import type { BusReporter } from '../reporting/events.js'
import type { BusStats, FrontendStats, LatencyStats, TrafficStats } from '../reporting/stats.js'
import { getWorkerName } from '../supervision/policy.js'
import type { BusState, WorkerStatus } from '../supervision/supervisor.js'
import { getPlace, MAX_TEXT, toPrintable } from './printable.js'
import type { Blocked, CommandView, FrontendView, LatencyView, ShownAccess, Snapshot, Total, Totals } from './views.js'

/** The inspector's view of a bus. @internal */
export interface BusView {
  getState(): BusState
  /** Returns the statistics as of the last `measure`. */
  getStats(): BusStats
  getWorkerStatuses(): ReadonlyMap<string, WorkerStatus>
  readonly machines: { readonly bus: AnyStateMachine; readonly worker: AnyStateMachine }
  /** True if core is in the thread of the host. */
  readonly isCoreInProcess: boolean
  /** Returns what is known of a frontend that is open or has ended by itself. */
  getInfo(label: string): FrontendInfo | undefined
  /** Updates the statistics, and lets core watch calls. Resolves with `undefined` if core does not answer. */
  measure(): Promise<Measurement | undefined>
  /** Lets core watch calls no longer, unless another inspector measures. */
  release(): void
  on: BusReporter['on']
  explain(label: string): Promise<ExplainedFrontend>
}

/** Frontends in one snapshot. Others are found by their labels. */
export const MAX_SHOWN = 100
/** Capabilities and commands of one frontend. */
const MAX_ACCESS = 2000
const MAX_SCOPE = 500

export interface SnapshotSource extends Pick<Snapshot, 'bus' | 'since'> {
  stats: BusStats
  /** `undefined` if core does not answer. */
  measurement: Measurement | undefined
  workerStatus: ReadonlyMap<string, WorkerStatus>
  getInfo: BusView['getInfo']
  /** Milliseconds until a frontend restarts. */
  getDelay(label: string): number | undefined
  blockedCore: Blocked | undefined
  /** Milliseconds for which frontends have not responded, by label. */
  blockedFrontends: ReadonlyMap<string, number>
  /** Frontends that have failed, and that the host closed then. */
  closed: readonly FrontendView[]
}

type PerPage = 'frontends' | 'found' | 'selected' | 'commands' | 'calls' | 'recent' | 'culprits' | 'moreCulprits'

/** Returns what is the same on each page without a selected frontend. */
export function getSummary(source: SnapshotSource, totals: Totals): Omit<Snapshot, PerPage> {
  const { stats, bus, measurement, workerStatus, since, blockedCore, closed } = source
  const { uptime, core, host, frontends } = stats
  const all = Object.values(frontends)
  const states: Record<string, number> = {}
  for (const { state } of workerStatus.values()) states[state] = (states[state] ?? 0) + 1
  const { lifecycle } = workerStatus.get('core') ?? {}
  const ended = all.filter(({ state }) => hasEnded(state)).length
  return {
    uptime,
    at: Date.now(),
    bus,
    core: { ...core, lifecycle, answers: measurement !== undefined, blocked: blockedCore },
    totals: { ...totals, slow: core.slow },
    // The host's own link is a port, whose figure is too high.
    queued: all.reduce((sum, { queued }) => sum + queued, 0),
    inFlight: core.inFlight,
    ...(isActive(host) && { host: getTraffic(host) }),
    open: all.length - ended,
    ended: ended + closed.length,
    states,
    since,
  }
}

const hasEnded = (state: FrontendStats['state']): boolean => state === 'failed' || state === 'stopped'

const isActive = ({ calls, events }: TrafficStats): boolean => calls + events.in + events.out > 0

/** Returns the frontends whose labels contain `find`, in the order of opening, but those that are not running first. */
export function getFrontends(source: SnapshotSource, find: string): Pick<Snapshot, 'frontends' | 'found'> {
  const part = find.toLowerCase()
  const matches = (label: string): boolean => label.toLowerCase().includes(part)
  const found = Object.entries(source.stats.frontends).filter(([label]) => matches(label))
  const closed = source.closed.filter(({ label }) => matches(label))
  const isUnwell = isUnwellIn(source)
  const unwell = found.filter(isUnwell).slice(0, MAX_SHOWN)
  const well = found.filter(entry => !isUnwell(entry)).slice(0, MAX_SHOWN - unwell.length)
  const frontends = [...unwell, ...well].map(([label, frontend]) => getFrontend(label, frontend, source))
  return { found: found.length + closed.length, frontends: [...closed, ...frontends].slice(0, MAX_SHOWN) }
}

/** Returns those that are not running, or do not respond. */
export function getUnwell(source: SnapshotSource): FrontendView[] {
  const unwell = Object.entries(source.stats.frontends).filter(isUnwellIn(source)).slice(0, MAX_SHOWN)
  return [...source.closed, ...unwell.map(([label, frontend]) => getFrontend(label, frontend, source))]
}

const isUnwellIn =
  ({ blockedFrontends }: SnapshotSource) =>
  ([label, { state, gate }]: readonly [string, FrontendStats]): boolean =>
    state !== 'running' || (gate !== undefined && gate.state !== 'running') || blockedFrontends.has(label)

function getFrontend(label: string, stats: FrontendStats, source: SnapshotSource): FrontendView {
  const { gate, ...others } = stats
  const { workerStatus, getInfo, getDelay, blockedFrontends } = source
  const status = workerStatus.get(getWorkerName('frontend', label))
  const { sandbox, startedAt, error } = getInfo(label) ?? {}
  const restartsIn = stats.state === 'backingOff' ? getDelay(label) : undefined
  const blockedMs = blockedFrontends.get(label)
  const view: FrontendView = {
    ...{ ...getTraffic(others), label, isWorker: status !== undefined, lifecycle: status?.lifecycle },
    ...(sandbox && { sandbox }),
    ...(startedAt !== undefined && { startedAt }),
    ...(error && { error: toPrintable(error.message, MAX_TEXT), where: toPrintable(getPlace(error), MAX_TEXT) }),
    ...(restartsIn !== undefined && { restartsIn }),
    ...(blockedMs !== undefined && { blockedMs }),
  }
  if (!gate) return view
  const { state, restarts, hook } = gate
  const lifecycle = workerStatus.get(getWorkerName('gate', label))?.lifecycle
  return { ...view, gate: { state, restarts, lifecycle, hook: getLatency(hook) } }
}

/** Callers of a command that are shown unless a frontend is selected. */
const MAX_CALLERS = 5

/** @param label - leaves out the calls of others */
export function getCommands(commands: readonly CommandStats[], label: string | undefined): CommandView[] {
  return commands.flatMap((stats): CommandView[] => {
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
  { stats }: SnapshotSource,
  label: string,
  slow: number,
): Pick<Snapshot, 'selected' | 'totals' | 'queued' | 'inFlight'> {
  const found: Partial<FrontendStats> = (label === 'host' ? stats.host : stats.frontends[label]) ?? {}
  const totals = { ...getCounters(found), slow }
  return { selected: label, totals, queued: found.queued ?? 0, inFlight: found.inFlight ?? 0 }
}

const getTraffic = <Stats extends TrafficStats>({ perSecond: _perSecond, latency, ...traffic }: Stats) => ({
  ...traffic,
  latency: getLatency(latency),
})

const getLatency = ({ count, p50, p99 }: LatencyStats): LatencyView => ({ count, p50, p99 })

/** Sums of all frontends. A frontend that ends, or begins again with the same label, does not make them fall. */
export class RunningTotals {
  readonly #totals: Record<Total, number> = getCounters({})
  #last = new Map<string, Totals>()

  update({ core, host, frontends }: BusStats): Totals {
    const next = new Map<string, Totals>()
    for (const [label, stats] of [['', host], ...Object.entries(frontends)] as const) {
      const [counters, last] = [getCounters(stats), this.#last.get(label)]
      next.set(label, counters)
      for (const key of Object.keys(counters) as Total[]) {
        const before = last?.[key] ?? 0
        this.#totals[key] += counters[key] - (counters[key] < before ? 0 : before)
      }
    }
    this.#last = next
    return { ...this.#totals, restarts: this.#totals.restarts + core.restarts }
  }
}

function getCounters(stats: Partial<FrontendStats>): Totals {
  const { calls = 0, failures = 0, denied = 0, rejected = 0, restarts = 0, events, bytes, gate } = stats
  return {
    ...{ calls, failures, denied, rejected, restarts: restarts + (gate?.restarts ?? 0) },
    events: events ? events.in + events.out : 0,
    dropped: events?.dropped ?? 0,
    bytes: bytes ? bytes.in + bytes.out : 0,
  }
}

/** Returns what a frontend may call now, with changes at run time. Never rejects. @internal */
export async function explainAccess(view: BusView, label: string): Promise<ShownAccess> {
  try {
    const { capabilities, commands } = await view.explain(label)
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

/** Commands that every frontend may call come last: there is nothing to decide about them. */
const getRank = ({ by }: ExplainedCommand): number => Number(by.some(({ capability }) => capability === BUILT_IN))
