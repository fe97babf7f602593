// Refusals, faults and restarts: a timeline of the last ten minutes, and two tables.
import { create, createSvg, getById, setText } from './dom.js'
import type { ShowSnapshot, Snapshot } from './follow.js'
import { clock, count } from './figures.js'
import { createTable, type Column } from './table.js'

type RecordedEvent = NonNullable<Snapshot['recent']>['refusals'][number]

/** In the order of the timeline. */
const KINDS = ['fault', 'restart', 'failed', 'slow', 'overload', 'denied', 'rejected'] as const
const BAD: readonly string[] = ['fault', 'failed']
const SPAN_MS = 600_000
/** A tooltip stays while the timeline is not redrawn. */
const REDRAW_MS = 5000

const getColumns = (what: string, others: readonly Column<RecordedEvent>[]): readonly Column<RecordedEvent>[] => [
  { title: 'Who', getValue: ({ label }) => label },
  { title: 'Kind', getValue: ({ kind }) => kind, getTone: ({ kind }) => (BAD.includes(kind) ? 'bad short' : 'short') },
  { title: what, getValue: event => event.what },
  { title: 'Why', getValue: ({ why }) => why },
  ...others,
  { title: 'How often', getValue: event => event.count, format: count },
  { title: 'First', getValue: ({ since }) => since, format: clock },
  { title: 'Last', getValue: ({ at }) => at, format: clock },
]

export function createRecentEvents(): ShowSnapshot {
  const getTable = (id: string, caption: string, what: string, others: readonly Column<RecordedEvent>[] = []) =>
    createTable(
      getById(id, HTMLTableElement),
      caption,
      getColumns(what, others),
      ({ kind, label, what: name, why, since }) => JSON.stringify([kind, label, name, why, since]),
    )
  const timeline = getById('timeline', HTMLDListElement)
  const showRefusals = getTable('refused', 'Denied and rejected', 'Command')
  const showTroubles = getTable('troubled', 'Faults and restarts', 'Of', [
    { title: 'Where', getValue: ({ where }) => where },
  ])
  let events: readonly RecordedEvent[] = []
  let drawnAt = -Infinity
  return ({ recent, at }) => {
    if (recent) {
      events = [...recent.troubles, ...recent.refusals]
      showRefusals(recent.refusals, 'None.')
      showTroubles(recent.troubles, 'None.')
    }
    if (!recent && at - drawnAt < REDRAW_MS) return
    drawnAt = at
    drawTimeline(timeline, events, at)
  }
}

function drawTimeline(timeline: HTMLElement, all: readonly RecordedEvent[], now: number): void {
  const events = all.filter(({ at }) => now - at < SPAN_MS)
  const lines = KINDS.map(kind => {
    const sameKind = events.filter(event => event.kind === kind)
    if (sameKind.length === 0) return []
    const marks = sameKind.map(({ label, what, since, at, count: times }) => {
      const x = Math.max(0, SPAN_MS - (now - since))
      const mark = createSvg('rect', { x, y: 0, width: Math.max(SPAN_MS / 300, at - since), height: 1 })
      const title = createSvg('title', {})
      setText(title, `${clock(since)} ${label} ${what} × ${count(times)}`)
      mark.append(title)
      return mark
    })
    const svg = createSvg('svg', { viewBox: `0 0 ${SPAN_MS} 1`, preserveAspectRatio: 'none', 'aria-hidden': true })
    svg.append(...marks)
    const total = sameKind.reduce((sum, event) => sum + event.count, 0)
    return [create('dt', {}, kind), create('dd', {}, svg, create('span', {}, `× ${count(total)}`))]
  })
  timeline.replaceChildren(...lines.flat(), ...(events.length === 0 ? ['Nothing.'] : []))
}
