// Refusals, faults and restarts: a timeline of at most ten minutes, and two tables.
import { getById } from './dom.js'
import type { ShowSnapshot } from './follow.js'
import { clock, count } from './figures.js'
import { createTable, type Column } from './table.js'
import { createTimeline, type RecordedEvent } from './timeline.js'

const BAD: readonly string[] = ['fault', 'failed', 'blocked']
/** The axis moves, also without new events. */
const REDRAW_MS = 2000

const getColumns = (
  select: (label: string) => void,
  what: string,
  others: readonly Column<RecordedEvent>[],
): readonly Column<RecordedEvent>[] => [
  { title: 'Who', getValue: ({ label }) => label, onClick: ({ label }) => select(label) },
  { title: 'Kind', getValue: ({ kind }) => kind, getTone: ({ kind }) => (BAD.includes(kind) ? 'bad short' : 'short') },
  { title: what, getValue: event => event.what, getTone: ({ what: name }) => (name.length > 30 ? '' : 'short') },
  { title: 'Why', getValue: ({ why }) => why },
  ...others,
  { title: 'How often', getValue: event => event.count, format: count },
  { title: 'First', getValue: ({ since }) => since, format: clock },
  { title: 'Last', getValue: ({ at }) => at, format: clock },
]

export function createRecentEvents(select: (label: string) => void): ShowSnapshot {
  const getTable = (id: string, caption: string, what: string, others: readonly Column<RecordedEvent>[] = []) =>
    createTable(
      getById(id, HTMLTableElement),
      caption,
      getColumns(select, what, others),
      ({ kind, label, what: name, why, since }) => JSON.stringify([kind, label, name, why, since]),
    )
  const timeline = createTimeline(select)
  const showRefusals = getTable('refused', 'Denied and rejected', 'Command')
  const showTroubles = getTable('troubled', 'Faults and restarts', 'Of', [
    { title: 'Where', getValue: ({ where }) => where },
  ])
  let events: readonly RecordedEvent[] = []
  let drawnAt = -Infinity
  return ({ recent, culprits, since, at }) => {
    if (recent) {
      events = [...recent.troubles, ...recent.refusals]
      showRefusals(recent.refusals, 'None.')
      showTroubles(recent.troubles, 'None.')
    }
    if (!recent && at - drawnAt < REDRAW_MS) return
    drawnAt = at
    const first = culprits.flatMap(({ label, labels = [label] }) => labels)
    timeline.draw(events, first, since, at)
  }
}
