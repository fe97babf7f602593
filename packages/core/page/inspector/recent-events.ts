// Tables of what was refused, and of what went wrong.
import { getById } from './dom.js'
import type { ShowSnapshot, Snapshot } from './follow.js'
import { clock, count } from './figures.js'
import { createTable, type Column } from './table.js'

type RecordedEvent = NonNullable<Snapshot['recent']>['refusals'][number]

const BAD: readonly string[] = ['fault', 'failed']

const getColumns = (what: string): readonly Column<RecordedEvent>[] => [
  { title: 'Who', isWords: true, getCell: ({ label }) => label },
  {
    title: 'Kind',
    isWords: true,
    getCell: ({ kind }) => ({ text: kind, tone: BAD.includes(kind) ? 'bad short' : 'short' }),
  },
  { title: what, isWords: true, getCell: event => event.what },
  { title: 'Why', isWords: true, getCell: ({ why }) => why },
  { title: 'How often', getCell: event => count(event.count) },
  { title: 'Last', getCell: ({ at }) => clock(at) },
]

export function createRecentEvents(): ShowSnapshot {
  const getTable = (id: string, caption: string, what: string) =>
    createTable(getById(id, HTMLTableElement), caption, getColumns(what), ({ kind, label, what: name, why }) =>
      JSON.stringify([kind, label, name, why]),
    )
  const showRefusals = getTable('refused', 'Denied and rejected', 'Command')
  const showTroubles = getTable('troubled', 'Faults and restarts', 'Of')
  return ({ recent }) => {
    if (!recent) return
    showRefusals(recent.refusals, 'None.')
    showTroubles(recent.troubles, 'None.')
  }
}
