// The table of the frontends, with the host in its first row if the host has called something.
import { getById, setText } from './dom.js'
import type { ShowSnapshot, Snapshot } from './follow.js'
import { bytes, count, millis, rate, Rates } from './figures.js'
import { type Column, percentile, Table, trouble } from './table.js'

type Frontend = Snapshot['frontends'][number]
type TrafficView = NonNullable<Snapshot['host']>
type TrafficRates = Rates<Record<'calls' | 'events' | 'bytes' | 'cpu', number>>

type Sampled = TrafficView & Pick<Frontend, 'usage'>

interface Row extends TrafficView {
  label: string
  state: string
  /** What the state is about, for its title. */
  why: string
  isWell: boolean
  isSelected: boolean
  sandbox?: string | undefined
  restarts?: number
  rejected?: number | undefined
  refused?: number
  hook?: TrafficView['latency'] | undefined
  usage?: Frontend['usage']
  rates: TrafficRates
}

const COLUMNS: readonly Column<Row>[] = [
  {
    title: 'State',
    getValue: ({ state }) => state,
    getTone: ({ isWell }) => `${isWell ? '' : 'bad '}brief`,
    getTitle: ({ state, why }) => `${state}${why}`,
  },
  {
    title: 'Memory',
    about: 'As its limits measure it: resident memory of a process, the heap of a thread',
    getValue: ({ usage }) => usage?.memory,
    format: bytes,
    isOptional: true,
  },
  {
    title: 'CPU',
    about: 'Of one core: CPU time of a process, the time for which a thread is busy',
    getValue: ({ usage, rates }) => (usage?.cpu === undefined ? undefined : rates.get('cpu')),
    format: value => `${(value / 10).toFixed(value < 100 ? 1 : 0)} %`,
  },
  {
    title: 'Sandbox',
    about: 'With the wall around its process',
    getValue: ({ sandbox }) => sandbox,
    getTone: () => 'short',
  },
  { title: 'Calls/s', getValue: ({ rates }) => rates.get('calls'), format: rate },
  { title: 'In flight', about: 'Its calls that run in core', getValue: ({ inFlight }) => inFlight, format: count },
  percentile('p50', 'Half of the commands took no longer', ({ latency }) => latency.p50),
  percentile('p99', '99 % of the commands took no longer', ({ latency }) => latency.p99),
  { ...percentile<Row>('Hook p99', 'Isolation hook, per message', ({ hook }) => hook?.p99), isOptional: true },
  {
    title: 'Queued',
    about: 'Sent by core, and not read yet',
    getValue: ({ queued }) => queued,
    format: bytes,
    isOptional: true,
  },
  {
    title: 'Events/s',
    about: 'In both directions',
    getValue: ({ rates }) => rates.get('events'),
    format: rate,
    isOptional: true,
  },
  { title: 'Bytes/s', getValue: ({ rates }) => rates.get('bytes'), format: bytes },
  trouble('Restarts', ({ restarts }) => restarts),
  { title: 'Calls', about: 'Since it was opened', getValue: ({ calls }) => calls, format: count },
  trouble('Failures', ({ failures }) => failures),
  trouble('Denied', ({ denied }) => denied),
  {
    ...trouble<Row>('Overloaded', ({ refused }) => refused, 'Refused by its own client, core or a quota'),
    isOptional: true,
  },
  { ...trouble<Row>('Rejected', ({ rejected }) => rejected), isOptional: true },
  { ...trouble<Row>('Late', ({ late }) => late, 'Responses after the end of their calls'), isOptional: true },
  {
    ...trouble<Row>('Dropped', ({ events }) => events.dropped, 'Events that the frontend was too slow for'),
    isOptional: true,
  },
]

export function createFrontends(select: (label: string) => void): ShowSnapshot {
  const summary = getById('found', HTMLElement)
  const columns: readonly Column<Row>[] = [
    {
      title: 'Frontend',
      getValue: ({ label }) => label,
      onClick: ({ label }) => select(label),
      isPressed: ({ isSelected }) => isSelected,
    },
    ...COLUMNS,
  ]
  const table = new Table(getById('traffic', HTMLTableElement), 'Frontends', columns, ({ label }) => label)
  let ratesByLabel = new Map<string, TrafficRates>()
  return ({ uptime, host, frontends, open, ended, found, selected }) => {
    const next: typeof ratesByLabel = new Map()
    const sample = (label: string, { calls, events, bytes: size, usage }: Sampled): TrafficRates => {
      // The first reading of CPU time is no growth.
      const key = `${label}${usage?.cpu === undefined ? '' : ' measured'}`
      const rates: TrafficRates = ratesByLabel.get(key) ?? new Rates()
      rates.add(uptime, { calls, events: events.in + events.out, bytes: size.in + size.out, cpu: usage?.cpu ?? 0 })
      next.set(key, rates)
      return rates
    }
    const getShared = (label: string, traffic: Sampled) => ({
      ...{ label, isSelected: label === selected, rates: sample(label, traffic) },
    })
    const hostRow = host && { ...host, state: 'running', why: '', isWell: true, ...getShared('host', host) }
    const rows = frontends.map(frontend => ({ ...toRow(frontend), ...getShared(frontend.label, frontend) }))
    const all = [...(hostRow ? [hostRow] : []), ...rows]
    table.show(selected === undefined ? all : all.filter(({ isSelected }) => isSelected), 'None.')
    ratesByLabel = next
    const total = open + ended
    const shown = frontends.length < found ? `${count(frontends.length)} of ${count(found)} are shown` : ''
    const matching = found < total ? `${count(found)} of ${count(total)} have this in their labels` : ''
    setText(summary, [matching, shown].filter(Boolean).join('; '))
  }
}

function toRow(frontend: Frontend): Omit<Row, 'isSelected' | 'rates'> {
  const { state, gate, restarts, rejected, sandbox, wall, blockedMs, waitsFor, error, where } = frontend
  const isBlocked = blockedMs !== undefined && waitsFor === undefined
  const isWell = state === 'running' && !isBlocked && (gate === undefined || gate.state === 'running')
  return {
    ...frontend,
    state: describeState(frontend),
    why: error === undefined || state === 'running' ? '' : `: ${error}${where ? ` (${where})` : ''}`,
    isWell: isWell || state === 'stopped' || state === 'disconnected',
    sandbox: wall === undefined ? sandbox : `${sandbox}, ${wall === 'none' ? 'no wall' : wall}`,
    restarts: restarts + (gate?.restarts ?? 0),
    rejected: gate && rejected,
    refused: frontend.overloaded + frontend.unsent,
    hook: gate?.hook,
  }
}

function describeState({ state, gate, restartsIn, blockedMs, waitsFor }: Frontend): string {
  if (state === 'backingOff') return `restarting${restartsIn === undefined ? '' : ` in ${millis(restartsIn)}`}`
  if (waitsFor !== undefined) return `waits for ${waitsFor ?? 'its script host'}`
  if (blockedMs !== undefined) return `blocked for ${millis(blockedMs)}`
  if (gate && gate.state !== state && state === 'running') return `${state}, gate ${gate.state}`
  return state === 'stopped' ? 'finished' : state
}
