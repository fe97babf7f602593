// Every frontend in a row, and the host before them.
import { byId, setText } from './dom.js'
import type { Snapshot } from './follow.js'
import { bytes, count, micros, rate } from './format.js'
import type { Part } from './part.js'
import { Rates } from './rates.js'
import { createTable, type Cell, type Column } from './table.js'

type Frontend = Snapshot['frontends'][number]
type Traffic = Snapshot['host']
type Counts = Record<'calls' | 'in' | 'out' | 'bytes', number>

interface Row {
  label: string
  state: string
  isWell: boolean
  restarts: number | undefined
  rejected: number | undefined
  traffic: Traffic
  hook: Traffic['latency'] | undefined
  rates: Rates<Counts>
}

const orNone = (value: number | undefined, format: (value: number) => string): string =>
  value === undefined ? '–' : format(value)
const troubling = (value: number | undefined): Cell => ({ text: orNone(value, count), tone: value ? 'bad' : 'soft' })
const timed = (latency: Traffic['latency'] | undefined, which: 'p50' | 'p99'): string =>
  latency?.count ? micros(latency[which]) : '–'

const COLUMNS: readonly Column<Row>[] = [
  { title: 'Frontend', isWords: true, cell: ({ label }) => label },
  {
    title: 'State',
    isWords: true,
    cell: ({ state, isWell }) => ({ text: state, tone: isWell ? 'short' : 'bad short' }),
  },
  { title: 'Calls/s', cell: ({ rates }) => orNone(rates.of('calls'), rate) },
  { title: 'In flight', about: 'Calls of it that run in core', cell: ({ traffic }) => count(traffic.inFlight) },
  { title: 'p50', cell: ({ traffic: { latency } }) => timed(latency, 'p50') },
  { title: 'p99', cell: ({ traffic: { latency } }) => timed(latency, 'p99') },
  { title: 'Hook p99', about: 'Of the isolation hook, for one message', cell: ({ hook }) => timed(hook, 'p99') },
  { title: 'Queued', about: 'Sent by core, and not taken yet', cell: ({ traffic }) => bytes(traffic.queued) },
  { title: 'Events in/s', about: 'It emitted them', cell: ({ rates }) => orNone(rates.of('in'), rate) },
  { title: 'Events out/s', about: 'They were sent to it', cell: ({ rates }) => orNone(rates.of('out'), rate) },
  { title: 'Bytes/s', cell: ({ rates }) => orNone(rates.of('bytes'), bytes) },
  { title: 'Restarts', cell: ({ restarts }) => troubling(restarts) },
  { title: 'Calls', cell: ({ traffic }) => count(traffic.calls) },
  { title: 'Failures', cell: ({ traffic }) => troubling(traffic.failures) },
  { title: 'Denied', cell: ({ traffic }) => troubling(traffic.denied) },
  { title: 'Rejected', cell: ({ rejected }) => troubling(rejected) },
  { title: 'Late', about: 'Answers that nobody waited for any more', cell: ({ traffic }) => troubling(traffic.late) },
  {
    title: 'Dropped',
    about: 'Events that it was too slow for',
    cell: ({ traffic }) => troubling(traffic.events.dropped),
  },
]

export function createFrontends(): Part {
  const found = byId('found', HTMLElement)
  const table = createTable(byId('traffic', HTMLTableElement), 'Frontends', COLUMNS, ({ label }: Row) => label)
  let known = new Map<string, Rates<Counts>>()
  return {
    show({ uptime, host, frontends, open, found: many }) {
      const next: typeof known = new Map()
      const ratesOf = (label: string, { calls, events, bytes: { in: inside, out } }: Traffic): Rates<Counts> => {
        const rates = known.get(label) ?? new Rates<Counts>()
        rates.add(uptime, { calls, in: events.in, out: events.out, bytes: inside + out })
        next.set(label, rates)
        return rates
      }
      const rows = frontends.map(frontend => rowOf(frontend, ratesOf(frontend.label, frontend)))
      const hostRow: Row = {
        label: 'host',
        state: 'running',
        isWell: true,
        restarts: undefined,
        rejected: undefined,
        traffic: host,
        hook: undefined,
        rates: ratesOf('host', host),
      }
      table.show([hostRow, ...rows], '')
      known = next
      const some = frontends.length < many ? `${count(frontends.length)} of ${count(many)} are shown` : ''
      const others = many < open ? `${count(many)} of ${count(open)} have this in their labels` : ''
      setText(found, [others, some].filter(Boolean).join('; '))
    },
  }
}

function rowOf(frontend: Frontend, rates: Rates<Counts>): Row {
  const { label, state, gate, restarts, rejected } = frontend
  const isWell = state === 'running' && (gate === undefined || gate.state === 'running')
  const both = gate && gate.state !== state ? `${state}, gate ${gate.state}` : state
  return {
    label,
    state: both,
    isWell,
    restarts: restarts + (gate?.restarts ?? 0),
    rejected: gate && rejected,
    traffic: frontend,
    hook: gate?.hook,
    rates,
  }
}
