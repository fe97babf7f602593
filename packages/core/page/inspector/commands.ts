// Calls by command with their callers, and the latest calls.
import { getById } from './dom.js'
import type { ShowSnapshot, Snapshot } from './follow.js'
import { clock, count, duration, millis } from './figures.js'
import { createTable, percentile, trouble, type Column } from './table.js'

type Command = NonNullable<Snapshot['commands']>[number]
type Call = NonNullable<Snapshot['calls']>[number]

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
  const table = getById('calls', HTMLTableElement)
  const showRows = createTable(table, 'Commands', COMMAND_COLUMNS, ({ command }) => command)
  return ({ commands }) => {
    if (commands) showRows(commands, 'None.')
  }
}

const isBad = ({ outcome = 'ok' }: Call): boolean => outcome !== 'ok'

export function createCalls(select: (label: string) => void): ShowSnapshot {
  const columns: readonly Column<Call>[] = [
    { title: 'Caller', getValue: ({ label }) => label, onClick: ({ label }) => select(label) },
    { title: 'Command', getValue: ({ command }) => command },
    {
      title: 'Outcome',
      getValue: ({ outcome }) => outcome ?? 'runs',
      getTone: call => (isBad(call) ? 'bad short' : 'short soft'),
    },
    { title: 'Took', getValue: ({ ms }) => ms, format: millis },
    { title: 'Began', getValue: ({ at }) => at, format: clock },
  ]
  const showRows = createTable(getById('latest', HTMLTableElement), 'The latest calls', columns, ({ id }) => id)
  return ({ calls }) => {
    if (calls) showRows(calls, 'None.')
  }
}
