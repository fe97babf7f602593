// What a page is told a few times a second: figures and states, of a bounded number of frontends.
import type { AccessKind, ExplainedCommand } from '../../acl/explain.js'
import type { BusStats, FrontendStats, LatencyStats, TrafficStats } from '../reporting/stats.js'
import { getWorkerName, type WorkerStats } from '../supervision/policy.js'
import type { BusState, WorkerStatus } from '../supervision/supervisor.js'
import { type News, printable } from './recent-events.js'
import type { BusView } from './view.js'

/** So many frontends are shown at a time; the others are found by their labels. */
export const MAX_SHOWN = 100

export interface WorkerView {
  /** As the host sees it. */
  state: string
  restarts: number
  /** As the worker itself says. */
  life?: string | undefined
}

type LatencyView = Pick<LatencyStats, 'count' | 'p50' | 'p99'>

/** As of `bus.stats()`; rates are for the page to make. */
export interface TrafficView extends Omit<TrafficStats, 'perSecond' | 'latency'> {
  latency: LatencyView
}

export interface FrontendView extends TrafficView, WorkerView {
  label: string
  rejected: number
  /** `false`: a connection of the host's own. */
  isWorker: boolean
  gate?: WorkerView & { hook: LatencyView }
}

export interface Sums {
  calls: number
  failures: number
  denied: number
  rejected: number
  late: number
  queued: number
  events: number
  dropped: number
  bytes: number
}

export interface Snapshot {
  /** Milliseconds since the bus was created. */
  uptime: number
  bus: BusState
  core: WorkerView & {
    inFlight: number
    slow: number
    /** `false`: a handler keeps it busy, or it is not there. */
    answers: boolean
  }
  /** Of the host and all frontends. */
  sums: Sums
  host: TrafficView
  frontends: readonly FrontendView[]
  /** How many frontends there are, and how many of them have what was looked for in their labels. */
  open: number
  found: number
  /** How many workers are in each state. */
  states: Readonly<Record<string, number>>
  /** Since when faults and refusals are listened for, in milliseconds since 1970. */
  since: number
  /** Left out where it is as before. */
  news?: News
}

export interface Seen {
  stats: BusStats
  bus: BusState
  answers: boolean
  sights: ReadonlyMap<string, WorkerStatus>
  /** Milliseconds since 1970. */
  since: number
}

/** All but the frontends, which not every page sees the same of. */
export function getSummary({ stats, bus, answers, sights, since }: Seen): Omit<Snapshot, 'frontends' | 'found'> {
  const { uptime, core, host, frontends } = stats
  const each = Object.values(frontends)
  const states: Record<string, number> = {}
  for (const { state } of sights.values()) states[state] = (states[state] ?? 0) + 1
  return {
    uptime,
    bus,
    core: { ...core, life: sights.get('core')?.lifecycle, answers },
    sums: getSums([host, ...each]),
    host: getTraffic(host),
    open: each.length,
    states,
    since,
  }
}

/** Those whose labels have this in them, in the order in which they were opened; first those that do not run. */
export function getFrontends({ stats, sights }: Seen, find: string): Pick<Snapshot, 'frontends' | 'found'> {
  const wanted = find.toLowerCase()
  const found = Object.entries(stats.frontends).filter(([label]) => label.toLowerCase().includes(wanted))
  const [unwell, well] = [found.filter(([, each]) => !isWell(each)), found.filter(([, each]) => isWell(each))]
  const shown = [...unwell.slice(0, MAX_SHOWN), ...well.slice(0, Math.max(0, MAX_SHOWN - unwell.length))]
  return { found: found.length, frontends: shown.map(([label, each]) => getFrontend(label, each, sights)) }
}

const isWell = ({ state, gate }: FrontendStats): boolean =>
  state === 'running' && (gate === undefined || gate.state === 'running')

function getFrontend(label: string, stats: FrontendStats, sights: Seen['sights']): FrontendView {
  const { state, restarts, rejected, gate } = stats
  const worker = sights.get(getWorkerName('frontend', label))
  const inner = gate && {
    gate: { ...getWorker(gate, sights.get(getWorkerName('gate', label))), hook: getLatency(gate.hook) },
  }
  const own = getWorker({ state, restarts }, worker)
  return { label, isWorker: worker !== undefined, ...own, ...inner, rejected, ...getTraffic(stats) }
}

const getWorker = ({ state, restarts }: WorkerStats, sight: WorkerStatus | undefined): WorkerView => ({
  state,
  restarts,
  life: sight?.lifecycle,
})

function getTraffic(stats: TrafficStats): TrafficView {
  const { inFlight, queued, calls, failures, denied, late, events, bytes, latency } = stats
  return { inFlight, queued, calls, failures, denied, late, events, bytes, latency: getLatency(latency) }
}

const getLatency = ({ count, p50, p99 }: LatencyStats): LatencyView => ({ count, p50, p99 })

function getSums(all: readonly (TrafficStats & { rejected?: number })[]): Sums {
  const sum = (of: (each: (typeof all)[number]) => number): number => all.reduce((total, each) => total + of(each), 0)
  return {
    calls: sum(({ calls }) => calls),
    failures: sum(({ failures }) => failures),
    denied: sum(({ denied }) => denied),
    rejected: sum(({ rejected = 0 }) => rejected),
    late: sum(({ late }) => late),
    queued: sum(({ queued }) => queued),
    events: sum(({ events }) => events.in + events.out),
    dropped: sum(({ events }) => events.dropped),
    bytes: sum(({ bytes }) => bytes.in + bytes.out),
  }
}

// Who may call what, as core has it now: what was added and removed at run time counts.

const MOST = 2000
const MAX_NAME = 200
const MAX_SCOPE = 500

export interface CommandAccess {
  command: string
  access: AccessKind
  /** Capability and permission. */
  by: string
  /** As JSON. */
  scope: string
}

export interface Access {
  /** Core did not say. */
  error?: string
  capabilities: readonly string[]
  commands: readonly CommandAccess[]
  /** Commands that are not told of. */
  more: number
}

export async function getAccess(view: BusView, label: string): Promise<Access> {
  try {
    const { capabilities, commands } = await view.explain(label)
    return {
      capabilities: capabilities.slice(0, MOST).map(name => printable(name, MAX_NAME)),
      more: Math.max(0, commands.length - MOST),
      commands: commands
        .toSorted((one, other) => rank(one) - rank(other))
        .slice(0, MOST)
        .map(({ command, access, by, scope }) => ({
          command: printable(command, MAX_NAME),
          access,
          by: printable(by.map(({ capability, permission }) => `${capability}: ${permission}`).join(', '), MAX_SCOPE),
          scope: scope ? printable(JSON.stringify(scope), MAX_SCOPE) : '',
        })),
    }
  } catch (error) {
    return { error: printable((error as Error).message, MAX_SCOPE), capabilities: [], commands: [], more: 0 }
  }
}

/** What is open to all of core's own comes last: of it there is nothing to decide. */
const rank = ({ command, access }: ExplainedCommand): number =>
  Number(access === 'open' && command.startsWith('plugin:'))
