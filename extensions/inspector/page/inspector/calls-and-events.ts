// The tables of calls by command with their callers, of the latest calls, and of the latest refusals and troubles.
import { getById } from './dom.js'
import type { ShowSnapshot, Snapshot } from './follow.js'
import { bytes, clock, count, duration, micros, millis } from './figures.js'
import { type Column, percentile, Table, trouble } from './table.js'

type Command = NonNullable<Snapshot['commands']>[number]
type Frontend = Snapshot['frontends'][number]
type Call = NonNullable<Snapshot['calls']>[number]
type RecordedEvent = NonNullable<Snapshot['recent']>['refusals'][number]

const sum = (failures: Command['failures']): number => Object.values(failures).reduce((total, each) => total + each, 0)

const COMMAND_COLUMNS: readonly Column<Command>[] = [
  { title: 'Command', getValue: ({ command }) => command },
  { title: 'Calls', getValue: ({ calls }) => calls, format: count },
  {
    title: 'Callers',
    about: 'With their calls',
    getValue({ callers, moreCallers }) {
      const named = callers.map(({ label, calls }) => `${label} ${count(calls)}`)
      return [...named, ...(moreCallers > 0 ? [`${count(moreCallers)} more`] : [])].join(', ') || undefined
    },
  },
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
  { title: 'Oldest of', about: 'The caller of the oldest one', getValue: ({ oldest }) => oldest?.label },
]

export function createCommands(): ShowSnapshot {
  const table = new Table(getById('calls', HTMLTableElement), 'Commands', COMMAND_COLUMNS, ({ command }) => command)
  return ({ commands }) => {
    if (commands) table.show(commands, 'None.')
  }
}

const isBad = ({ outcome = 'ok' }: Call): boolean => outcome !== 'ok'

export function createCalls(select: (label: string) => void): ShowSnapshot {
  let places: ReadonlyMap<string, Frontend> = new Map()
  const getWay = (call: Call): string => describeWay(call, places)
  const columns: readonly Column<Call>[] = [
    { title: 'Caller', getValue: ({ label }) => label, onClick: ({ label }) => select(label) },
    { title: 'Command', getValue: ({ command }) => command },
    {
      title: 'Arguments',
      about: 'Roughly; their content is not recorded',
      getValue: ({ size }) => size,
      format: bytes,
    },
    {
      title: 'Result',
      about: 'Roughly; its content is not recorded',
      getValue: ({ answerSize }) => answerSize,
      format: bytes,
    },
    { title: 'Way', about: 'Through what it goes, and what its gate usually takes', getValue: getWay },
    {
      title: 'Outcome',
      getValue: ({ outcome }) => outcome ?? 'runs',
      getTone: call => (isBad(call) ? 'bad short' : 'short soft'),
    },
    {
      title: 'Calls',
      about: 'If the row stands for many equal ones: their number, and the latest of them',
      getValue: ({ count: times }) => times,
      format: count,
      isOptional: true,
    },
    { title: 'Took', getValue: ({ ms }) => ms, format: millis },
    { title: 'Began', getValue: ({ at }) => at, format: clock },
  ]
  const table = new Table(getById('latest', HTMLTableElement), 'The latest calls', columns, ({ id }) => id)
  return ({ calls, frontends }) => {
    if (!calls) return
    places = new Map(frontends.map(frontend => [frontend.label, frontend]))
    table.show(calls, 'None.')
  }
}

function describeWay({ command, label }: Call, places: ReadonlyMap<string, Frontend>): string {
  const [, called] = (label === 'host' && /^bus\.call (\S+) /.exec(command)) || []
  const { sandbox, wall, gate } = places.get(called ?? label) ?? {}
  const code = [sandbox, wall === 'none' ? 'no wall' : wall].filter(Boolean).join(', ')
  const hook = gate && gate.hook.count > 0 ? `gate ${micros(gate.hook.p50)}` : gate && 'gate'
  const way = [code, hook, 'core'].filter(Boolean)
  return (called === undefined ? way : way.toReversed()).join(' → ')
}

const BAD: readonly string[] = ['fault', 'failed', 'blocked']

export function createRecentEvents(select: (label: string) => void): ShowSnapshot {
  const createEvents = (id: string, caption: string, what: string, others: readonly Column<RecordedEvent>[] = []) => {
    const columns: readonly Column<RecordedEvent>[] = [
      { title: 'Who', getValue: ({ label }) => label, onClick: ({ label }) => select(label) },
      {
        title: 'Kind',
        getValue: ({ kind }) => kind,
        getTone: ({ kind }) => (BAD.includes(kind) ? 'bad short' : 'short'),
      },
      { title: what, getValue: event => event.what, getTone: ({ what: name }) => (name.length > 30 ? '' : 'short') },
      { title: 'Why', getValue: ({ why }) => why },
      ...others,
      { title: 'How often', getValue: event => event.count, format: count },
      { title: 'First', getValue: ({ since }) => since, format: clock },
      { title: 'Last', getValue: ({ at }) => at, format: clock },
    ]
    const getKey = ({ kind, label, what: name, why, since }: RecordedEvent): string =>
      JSON.stringify([kind, label, name, why, since])
    return new Table(getById(id, HTMLTableElement), caption, columns, getKey)
  }
  const refusals = createEvents('refused', 'Denied and rejected', 'Command')
  const troubles = createEvents('troubled', 'Faults and restarts', 'Of', [
    { title: 'Where', getValue: ({ where }) => where },
  ])
  return ({ recent }) => {
    if (!recent) return
    refusals.show(recent.refusals, 'None.')
    troubles.show(recent.troubles, 'None.')
  }
}
