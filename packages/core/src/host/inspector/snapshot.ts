// The data of the page: figures and states of a bounded number of frontends, and the commands that one of them may call.
import type { AnyStateMachine } from 'xstate'
import type { ExplainedCommand, ExplainedFrontend } from '../../acl/explain.js'
import { BUILT_IN } from '../../acl/types.js'
import type { Measurement } from '../../contract/host-core.js'
import type { CommandStats } from '../../shared/metrics.js'
import { MAX_NAME_LENGTH } from '../../shared/suggest.js'
import type { BusReporter } from '../reporting/events.js'
import type { BusStats, CoreStats, FrontendStats, LatencyStats, TrafficStats } from '../reporting/stats.js'
import { getWorkerName } from '../supervision/policy.js'
import type { BusState, WorkerStatus } from '../supervision/supervisor.js'
import { type RecentEventLists, toPrintable } from './recent-events.js'

/** The inspector's view of a bus. @internal */
export interface BusView {
  getState(): BusState
  /** Returns the statistics as of the last `measure`. */
  getStats(): BusStats
  getWorkerStatuses(): ReadonlyMap<string, WorkerStatus>
  readonly machines: { readonly bus: AnyStateMachine; readonly worker: AnyStateMachine }
  /** Updates the statistics, and lets core count calls by command. Resolves with `undefined` if core does not answer. */
  measure(): Promise<Measurement | undefined>
  on: BusReporter['on']
  explain(label: string): Promise<ExplainedFrontend>
}

/** Frontends in one snapshot. Others are found by their labels. */
export const MAX_SHOWN = 100
/** Capabilities and commands of one frontend. */
const MAX_ACCESS = 2000
const MAX_SCOPE = 500

type LatencyView = Pick<LatencyStats, 'count' | 'p50' | 'p99'>

/** Traffic as in `bus.stats()`. The page computes the rates. */
export interface TrafficView extends Omit<TrafficStats, 'perSecond' | 'latency'> {
  latency: LatencyView
}

export interface FrontendView extends TrafficView, WorkerStatus {
  label: string
  /** Only for processes. */
  wall?: string
  rejected: number
  /** `false` for a connection of the host. */
  isWorker: boolean
  gate?: WorkerStatus & { hook: LatencyView }
}

type Total = 'calls' | 'failures' | 'denied' | 'rejected' | 'events' | 'dropped' | 'bytes' | 'restarts'
export type Totals = Readonly<Record<Total, number>>

export interface Snapshot {
  /** Milliseconds since the bus was created. */
  uptime: number
  /** Time of the snapshot, in milliseconds since 1970. */
  at: number
  bus: BusState
  /** `answers` is `false` if a handler blocks core, or core is not running. */
  core: CoreStats & Pick<WorkerStatus, 'lifecycle'> & { answers: boolean }
  /** Totals of the host, core and all frontends. They never fall: those that have ended count too. */
  totals: Totals
  /** Bytes that are queued for frontends. */
  queued: number
  /** Calls by command since the inspector was opened, or core started. Left out if core does not answer. */
  commands?: readonly CommandStats[] | undefined
  host: TrafficView
  frontends: readonly FrontendView[]
  /** Number of frontends. */
  open: number
  /** Number of frontends with matching labels. */
  found: number
  states: Readonly<Record<string, number>>
  /** Time from which on events were recorded, in milliseconds since 1970. */
  since: number
  /** Left out if nothing has changed. */
  recent?: RecentEventLists
}

export interface SnapshotSource extends Pick<Snapshot, 'bus' | 'since'> {
  stats: BusStats
  /** `undefined` if core does not answer. */
  measurement: Measurement | undefined
  workerStatus: ReadonlyMap<string, WorkerStatus>
}

/** Returns everything but the frontends, which differ from page to page. */
export function getSummary(source: SnapshotSource, totals: Totals): Omit<Snapshot, 'frontends' | 'found'> {
  const { stats, bus, measurement, workerStatus, since } = source
  const { uptime, core, host, frontends } = stats
  const all = Object.values(frontends)
  const states: Record<string, number> = {}
  for (const { state } of workerStatus.values()) states[state] = (states[state] ?? 0) + 1
  return {
    uptime,
    at: Date.now(),
    bus,
    core: { ...core, lifecycle: workerStatus.get('core')?.lifecycle, answers: measurement !== undefined },
    totals,
    queued: all.reduce((sum, { queued }) => sum + queued, host.queued),
    commands: measurement?.commands?.map(stats => ({ ...stats, command: toPrintable(stats.command, MAX_NAME_LENGTH) })),
    host: getTraffic(host),
    open: all.length,
    states,
    since,
  }
}

/** Returns the frontends whose labels contain `find`, in the order of opening, but those that are not running first. */
export function getFrontends(
  { stats, workerStatus }: SnapshotSource,
  find: string,
): Pick<Snapshot, 'frontends' | 'found'> {
  const part = find.toLowerCase()
  const found = Object.entries(stats.frontends).filter(([label]) => label.toLowerCase().includes(part))
  const unwell = found.filter(([, frontend]) => !isWell(frontend)).slice(0, MAX_SHOWN)
  const well = found.filter(([, frontend]) => isWell(frontend)).slice(0, MAX_SHOWN - unwell.length)
  const frontends = [...unwell, ...well].map(([label, frontend]) => getFrontend(label, frontend, workerStatus))
  return { found: found.length, frontends }
}

const isWell = ({ state, gate }: FrontendStats): boolean =>
  state === 'running' && (gate === undefined || gate.state === 'running')

function getFrontend(label: string, stats: FrontendStats, workerStatus: SnapshotSource['workerStatus']): FrontendView {
  const { gate, ...others } = stats
  const status = workerStatus.get(getWorkerName('frontend', label))
  const view = { ...getTraffic(others), label, isWorker: status !== undefined, lifecycle: status?.lifecycle }
  if (!gate) return view
  const { state, restarts, hook } = gate
  const lifecycle = workerStatus.get(getWorkerName('gate', label))?.lifecycle
  return { ...view, gate: { state, restarts, lifecycle, hook: getLatency(hook) } }
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

export interface CommandAccess {
  command: string
  access: ExplainedCommand['access']
  /** Capabilities and permissions. */
  by: string
  /** The scope as JSON. */
  scope: string
}

export interface ShownAccess {
  /** Why core did not answer. */
  error?: string
  capabilities: readonly string[]
  commands: readonly CommandAccess[]
  /** Number of commands that are left out. */
  more: number
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
