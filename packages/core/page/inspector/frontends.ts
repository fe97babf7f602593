// The table of the frontends, with the host in its first row, and the table of the commands.
import { getById, setText } from './dom.js'
import type { ShowSnapshot, Snapshot } from './follow.js'
import { bytes, count, duration, micros, rate, Rates } from './figures.js'
import { createTable, type Column } from './table.js'

type Frontend = Snapshot['frontends'][number]
type TrafficView = Snapshot['host']
type TrafficRates = Rates<Record<'calls' | 'events' | 'bytes', number>>

interface Row extends TrafficView {
  label: string
  state: string
  isWell: boolean
  wall?: string
  restarts?: number
  rejected?: number | undefined
  hook?: TrafficView['latency'] | undefined
  rates: TrafficRates
}

/** A count that needs attention unless it is 0. */
const trouble = <R>(title: string, getValue: (row: R) => number | undefined, about = ''): Column<R> => ({
  ...{ title, about, getValue, format: count },
  getTone: row => (getValue(row) ? 'bad' : 'soft'),
})
const percentile = <R>(title: string, about: string, get: (row: R) => number | undefined): Column<R> => ({
  ...{ title, about, format: micros },
  getValue: row => get(row) || undefined,
})

const COLUMNS: readonly Column<Row>[] = [
  { title: 'Frontend', getValue: ({ label }) => label },
  {
    title: 'State',
    about: 'With the wall around its process',
    getValue: ({ state, wall }) => (wall === undefined ? state : `${state}, ${wall}`),
    getTone: ({ isWell }) => (isWell ? 'short' : 'bad short'),
  },
  { title: 'Calls/s', getValue: ({ rates }) => rates.get('calls'), format: rate },
  { title: 'In flight', about: 'Its calls that run in core', getValue: ({ inFlight }) => inFlight, format: count },
  percentile('p50', 'Half of the commands took no longer', ({ latency }) => latency.p50),
  percentile('p99', '99 % of the commands took no longer', ({ latency }) => latency.p99),
  percentile('Hook p99', 'Isolation hook, per message', ({ hook }) => hook?.p99),
  { title: 'Queued', about: 'Sent by core, and not read yet', getValue: ({ queued }) => queued, format: bytes },
  { title: 'Events/s', about: 'In both directions', getValue: ({ rates }) => rates.get('events'), format: rate },
  { title: 'Bytes/s', getValue: ({ rates }) => rates.get('bytes'), format: bytes },
  trouble('Restarts', ({ restarts }) => restarts),
  { title: 'Calls', getValue: ({ calls }) => calls, format: count },
  trouble('Failures', ({ failures }) => failures),
  trouble('Denied', ({ denied }) => denied),
  trouble('Rejected', ({ rejected }) => rejected),
  trouble('Late', ({ late }) => late, 'Responses after the end of their calls'),
  trouble('Dropped', ({ events }) => events.dropped, 'Events that the frontend was too slow for'),
]

export function createFrontends(): ShowSnapshot {
  const summary = getById('found', HTMLElement)
  const showRows = createTable(getById('traffic', HTMLTableElement), 'Frontends', COLUMNS, ({ label }: Row) => label)
  let ratesByLabel = new Map<string, TrafficRates>()
  return ({ uptime, host, frontends, open, found }) => {
    const next: typeof ratesByLabel = new Map()
    const sample = (label: string, { calls, events, bytes: size }: TrafficView): TrafficRates => {
      const rates: TrafficRates = ratesByLabel.get(label) ?? new Rates()
      rates.add(uptime, { calls, events: events.in + events.out, bytes: size.in + size.out })
      next.set(label, rates)
      return rates
    }
    const hostRow: Row = { ...host, label: 'host', state: 'running', isWell: true, rates: sample('host', host) }
    const rows = frontends.map(frontend => toRow(frontend, sample(frontend.label, frontend)))
    showRows([hostRow, ...rows], '')
    ratesByLabel = next
    const shown = frontends.length < found ? `${count(frontends.length)} of ${count(found)} are shown` : ''
    const matching = found < open ? `${count(found)} of ${count(open)} have this in their labels` : ''
    setText(summary, [matching, shown].filter(Boolean).join('; '))
  }
}

function toRow(frontend: Frontend, rates: TrafficRates): Row {
  const { state, gate, restarts, rejected } = frontend
  return {
    ...frontend,
    state: gate && gate.state !== state ? `${state}, gate ${gate.state}` : state,
    isWell: state === 'running' && (gate === undefined || gate.state === 'running'),
    restarts: restarts + (gate?.restarts ?? 0),
    rejected: gate && rejected,
    hook: gate?.hook,
    rates,
  }
}

type Command = NonNullable<Snapshot['commands']>[number]

const sum = (failures: Command['failures']): number => Object.values(failures).reduce((total, each) => total + each, 0)

const COMMAND_COLUMNS: readonly Column<Command>[] = [
  { title: 'Command', getValue: ({ command }) => command },
  { title: 'Calls', getValue: ({ calls }) => calls, format: count },
  trouble('Failures', ({ failures }) => sum(failures)),
  {
    title: 'Reasons',
    getValue: ({ failures }) => {
      const reasons = Object.entries(failures).toSorted(([, a], [, b]) => b - a)
      return reasons.map(([reason, times]) => `${reason} ${count(times)}`).join(', ')
    },
  },
  percentile('p99', '99 % took no longer, with a precision of 10 %', ({ p99 }) => p99),
  { title: 'In flight', getValue: ({ inFlight }) => inFlight, format: count },
  { title: 'Oldest', about: 'Running since', getValue: ({ oldest }) => oldest?.ms, format: duration },
  { title: 'Called by', about: 'The caller of the oldest one', getValue: ({ oldest }) => oldest?.label },
]

export function createCommands(): ShowSnapshot {
  const table = getById('calls', HTMLTableElement)
  const showRows = createTable(table, 'Commands', COMMAND_COLUMNS, ({ command }) => command)
  return ({ commands }) => {
    if (commands) showRows(commands, 'None.')
  }
}
