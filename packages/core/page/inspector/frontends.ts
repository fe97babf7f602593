// The table of the frontends, with the host in its first row.
import { getById, setText } from './dom.js'
import type { ShowSnapshot, Snapshot } from './follow.js'
import { bytes, count, micros, rate, Rates } from './figures.js'
import { createTable, type Cell, type Column } from './table.js'

type Frontend = Snapshot['frontends'][number]
type TrafficView = Snapshot['host']
type TrafficRates = Rates<Record<'calls' | 'in' | 'out' | 'bytes', number>>

interface Row {
  label: string
  state: string
  isWell: boolean
  restarts?: number
  rejected?: number | undefined
  traffic: TrafficView
  hook?: TrafficView['latency'] | undefined
  rates: TrafficRates
}

const formatOr = (value: number | undefined, format: (value: number) => string): string =>
  value === undefined ? '–' : format(value)
const toTrouble = (value: number | undefined): Cell => ({ text: formatOr(value, count), tone: value ? 'bad' : 'soft' })
const formatLatency = (latency: TrafficView['latency'] | undefined, percentile: 'p50' | 'p99'): string =>
  latency?.count ? micros(latency[percentile]) : '–'

const COLUMNS: readonly Column<Row>[] = [
  { title: 'Frontend', isWords: true, getCell: ({ label }) => label },
  {
    title: 'State',
    isWords: true,
    getCell: ({ state, isWell }) => ({ text: state, tone: isWell ? 'short' : 'bad short' }),
  },
  { title: 'Calls/s', getCell: ({ rates }) => formatOr(rates.get('calls'), rate) },
  { title: 'In flight', about: 'Its calls that run in core', getCell: ({ traffic }) => count(traffic.inFlight) },
  { title: 'p50', getCell: ({ traffic: { latency } }) => formatLatency(latency, 'p50') },
  { title: 'p99', getCell: ({ traffic: { latency } }) => formatLatency(latency, 'p99') },
  { title: 'Hook p99', about: 'Isolation hook, per message', getCell: ({ hook }) => formatLatency(hook, 'p99') },
  { title: 'Queued', about: 'Sent by core, and not read yet', getCell: ({ traffic }) => bytes(traffic.queued) },
  { title: 'Events in/s', about: 'Emitted by the frontend', getCell: ({ rates }) => formatOr(rates.get('in'), rate) },
  { title: 'Events out/s', about: 'Sent to the frontend', getCell: ({ rates }) => formatOr(rates.get('out'), rate) },
  { title: 'Bytes/s', getCell: ({ rates }) => formatOr(rates.get('bytes'), bytes) },
  { title: 'Restarts', getCell: ({ restarts }) => toTrouble(restarts) },
  { title: 'Calls', getCell: ({ traffic }) => count(traffic.calls) },
  { title: 'Failures', getCell: ({ traffic }) => toTrouble(traffic.failures) },
  { title: 'Denied', getCell: ({ traffic }) => toTrouble(traffic.denied) },
  { title: 'Rejected', getCell: ({ rejected }) => toTrouble(rejected) },
  { title: 'Late', about: 'Responses after the end of their calls', getCell: ({ traffic }) => toTrouble(traffic.late) },
  {
    title: 'Dropped',
    about: 'Events that the frontend was too slow for',
    getCell: ({ traffic }) => toTrouble(traffic.events.dropped),
  },
]

export function createFrontends(): ShowSnapshot {
  const summary = getById('found', HTMLElement)
  const showRows = createTable(getById('traffic', HTMLTableElement), 'Frontends', COLUMNS, ({ label }: Row) => label)
  let ratesByLabel = new Map<string, TrafficRates>()
  return ({ uptime, host, frontends, open, found }) => {
    const next: typeof ratesByLabel = new Map()
    const sample = (label: string, { calls, events, bytes: size }: TrafficView): TrafficRates => {
      const rates: TrafficRates = ratesByLabel.get(label) ?? new Rates()
      rates.add(uptime, { calls, in: events.in, out: events.out, bytes: size.in + size.out })
      next.set(label, rates)
      return rates
    }
    const hostRow = { label: 'host', state: 'running', isWell: true, traffic: host, rates: sample('host', host) }
    const rows = frontends.map(frontend => toRow(frontend, sample(frontend.label, frontend)))
    showRows([hostRow, ...rows], '')
    ratesByLabel = next
    const shown = frontends.length < found ? `${count(frontends.length)} of ${count(found)} are shown` : ''
    const matching = found < open ? `${count(found)} of ${count(open)} have this in their labels` : ''
    setText(summary, [matching, shown].filter(Boolean).join('; '))
  }
}

function toRow(frontend: Frontend, rates: TrafficRates): Row {
  const { label, state, gate, restarts, rejected } = frontend
  return {
    label,
    state: gate && gate.state !== state ? `${state}, gate ${gate.state}` : state,
    isWell: state === 'running' && (gate === undefined || gate.state === 'running'),
    restarts: restarts + (gate?.restarts ?? 0),
    rejected: gate && rejected,
    traffic: frontend,
    hook: gate?.hook,
    rates,
  }
}
