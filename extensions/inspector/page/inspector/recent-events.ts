// Refusals, faults and restarts: a timeline of at most ten minutes, and two tables.
import { create, getById, setAttribute, setText } from './dom.js'
import { clock, count, duration } from './figures.js'
import type { ShowSnapshot, Snapshot } from './follow.js'
import { type Column, createTable } from './table.js'

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

export type RecordedEvent = NonNullable<Snapshot['recent']>['refusals'][number]

/** Each kind has a sign, so that colour alone says nothing. */
const SIGNS: Readonly<Record<RecordedEvent['kind'], string>> = {
  failed: '✕',
  fault: '!',
  restart: '↻',
  blocked: '■',
  slow: '…',
  overload: '▼',
  denied: '⊘',
  rejected: '△',
  refused: '≫',
}
const MAX_SPAN_MS = 600_000
/** Spans of the axis: the first that has all since the inspector was opened. */
const SPANS_MS: readonly number[] = [60_000, 120_000, 300_000, MAX_SPAN_MS]
const TICKS = 5
const MAX_ROWS = 12
const MAX_MARKS = 100

export interface Timeline {
  /** @param first - labels whose rows come first @param since - time from which on events were recorded */
  draw(events: readonly RecordedEvent[], first: readonly string[], since: number, now: number): void
}

/** @param select - called with the label of a frontend that was clicked */
function createTimeline(select: (label: string) => void): Timeline {
  const container = getById('timeline', HTMLDivElement)
  const detail = getById('mark', HTMLParagraphElement)
  const marks = new Map<string, HTMLButtonElement>()
  const rows = new Map<string, { row: HTMLElement; track: HTMLElement }>()
  const [list, legend] = [create('div', { class: 'rows' }), create('p', { class: 'soft legend' })]
  const axis = createAxis()
  container.append(list, axis.element, legend)

  const getRow = (label: string): { row: HTMLElement; track: HTMLElement } => {
    const existing = rows.get(label)
    if (existing) return existing
    const button = create('button', { type: 'button', class: 'link', dir: 'auto' }, label)
    button.addEventListener('click', () => select(label))
    const track = create('div', { class: 'track', role: 'group', 'aria-label': `Events of ${label}` })
    track.addEventListener('keydown', event => moveFocus(track, event))
    const made = { row: create('div', { class: 'line' }, button, track), track }
    rows.set(label, made)
    return made
  }
  const getMark = (key: string): HTMLButtonElement => {
    const existing = marks.get(key)
    if (existing) return existing
    const mark = create('button', { type: 'button', tabindex: '-1' })
    const show = (): void => setText(detail, mark.getAttribute('aria-label')!)
    for (const event of ['click', 'focus', 'pointerenter']) mark.addEventListener(event, show)
    marks.set(key, mark)
    return mark
  }
  return {
    draw(all, first, since, now) {
      const span = SPANS_MS.find(each => now - since <= each) ?? MAX_SPAN_MS
      axis.update(span)
      const events = all.filter(({ at }) => now - at < span).toSorted((a, b) => b.at - a.at)
      const known = new Set(events.map(({ label }) => label))
      const labels = [...new Set([...first.filter(label => known.has(label)), ...known])].slice(0, MAX_ROWS)
      const used = new Set<string>()
      labels.forEach((label, i) => {
        const { row, track } = getRow(label)
        if (list.children[i] !== row) list.insertBefore(row, list.children[i] ?? null)
        const shownEvents = events.filter(event => event.label === label).slice(0, MAX_MARKS)
        const shown = shownEvents
          .toSorted((a, b) => a.since - b.since)
          .map(event => {
            const key = JSON.stringify([label, event.kind, event.what, event.why, event.since])
            used.add(key)
            const mark = getMark(key)
            update(mark, event, span, now)
            return mark
          })
        for (const mark of track.querySelectorAll('button')) if (!shown.includes(mark)) mark.remove()
        shown.forEach((mark, at) => {
          if (track.children[at] !== mark) track.insertBefore(mark, track.children[at] ?? null)
        })
        if (!track.querySelector('[tabindex="0"]')) shown.at(-1)?.setAttribute('tabindex', '0')
      })
      while (list.children.length > labels.length) list.lastElementChild!.remove()
      for (const key of marks.keys()) if (!used.has(key)) marks.delete(key)
      for (const label of rows.keys()) if (!labels.includes(label)) rows.delete(label)
      container.classList.toggle('empty', labels.length === 0)
      const kinds = (Object.keys(SIGNS) as RecordedEvent['kind'][]).filter(kind =>
        events.some(event => event.kind === kind),
      )
      setText(legend, kinds.map(kind => `${SIGNS[kind]} ${kind}`).join('   ') || 'Nothing.')
    },
  }
}

function createAxis(): { element: HTMLElement; update(span: number): void } {
  const axis = create('div', { class: 'axis', 'aria-hidden': 'true' })
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => {
    const tick = create('span')
    tick.style.left = `${(i / TICKS) * 100}%`
    axis.append(tick)
    return tick
  })
  return {
    element: create('div', { class: 'line' }, create('span'), axis),
    update(span) {
      ticks.forEach((tick, i) => {
        const ms = span - (i / TICKS) * span
        const text = span < 300_000 ? `${ms / 1000} s ago` : `${ms / 60_000} min ago`
        setText(tick, i === TICKS ? 'now' : text)
      })
    },
  }
}

function update(mark: HTMLButtonElement, event: RecordedEvent, span: number, now: number): void {
  const { kind, label, what, why, where, since, at, count: times } = event
  const from = Math.max(0, span - (now - since))
  mark.style.left = `${(from / span) * 100}%`
  mark.style.width = `${((span - (now - at) - from) / span) * 100}%`
  setAttribute(mark, 'class', `mark ${kind}`)
  setText(mark, SIGNS[kind])
  const time = at - since < 1000 ? clock(since) : `${clock(since)}, for ${duration(at - since)}`
  const often = times > 1 ? ` ${count(times)} times` : ''
  const text = `${time}: ${label} ${kind}${often}${what && ` (${what})`}${why && `: ${why}`}${where && ` (${where})`}`
  setAttribute(mark, 'aria-label', text)
}

function moveFocus(track: HTMLElement, event: KeyboardEvent): void {
  const marks = [...track.querySelectorAll('button')]
  const at = marks.indexOf(document.activeElement as HTMLButtonElement)
  const steps: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: marks.length - 1 }
  const next = marks[steps[event.key] ?? -1]
  if (!next) return
  event.preventDefault()
  for (const mark of marks) mark.tabIndex = mark === next ? 0 : -1
  next.focus()
}
