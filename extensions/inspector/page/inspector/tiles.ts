// Figures of the whole bus, each with a chart of the last minute.
import { create, createSvg, getById, setAttribute, setText } from './dom.js'
import type { ShowSnapshot, Snapshot } from './follow.js'
import { bytes, count, rate, Rates } from './figures.js'

const MINUTE_MS = 60_000
const [WIDTH, HEIGHT] = [120, 28]

const alternatives = new Intl.ListFormat('en', { type: 'disjunction' })

type TotalRates = Rates<Record<string, number>>

interface Tile {
  title: string
  /** The figure. Any value but 0 needs attention if there is a total. */
  getValue(snapshot: Snapshot, rates: TotalRates): number | undefined
  getPoint?(snapshot: Snapshot, rates: TotalRates): number | undefined
  getTotal?(snapshot: Snapshot): number
  /** What there was nothing of, if the total is 0. */
  none?: string
  format(value: number): string
  formatPoint?(value: number): string
}

/** Calls that are denied or refused are failures too, and have tiles of their own. */
const getCounts = ({ totals }: Snapshot) => ({
  ...totals,
  failed: totals.failures - totals.denied - totals.overloaded,
  refused: totals.overloaded + totals.unsent,
})

type Key = keyof ReturnType<typeof getCounts>

const perSecond =
  (key: Key): Tile['getValue'] =>
  (_, rates) =>
    rates.get(key)

const trouble = (title: string, key: keyof Snapshot['lastMinute'], none = title.toLowerCase()): Tile => ({
  ...{ title, none, format: count, formatPoint: value => `${rate(value)}/s` },
  getValue: ({ lastMinute }) => lastMinute[key],
  getPoint: perSecond(key),
  getTotal: snapshot => getCounts(snapshot)[key],
})

const TILES: readonly Tile[] = [
  { title: 'Calls a second', getValue: perSecond('calls'), format: rate },
  { title: 'Events a second', getValue: perSecond('events'), format: rate },
  { title: 'Bytes a second', getValue: perSecond('bytes'), format: bytes },
  { title: 'In flight', getValue: ({ inFlight }) => inFlight, format: count },
  { title: 'Queued', getValue: ({ queued }) => queued, format: bytes },
  trouble('Denied', 'denied', 'denials'),
  trouble('Overloaded', 'refused', 'refusals'),
  trouble('Other failures', 'failed'),
  trouble('Rejected', 'rejected', 'rejections'),
  trouble('Slow calls', 'slow'),
  trouble('Events dropped', 'dropped', 'dropped events'),
]

export function createTiles(): ShowSnapshot {
  const list = getById('tiles', HTMLDListElement)
  let rates: TotalRates
  let shownLabel: string | undefined | null = null
  const updates = TILES.map(tile => createTile(list, tile))
  return snapshot => {
    const isOther = snapshot.selected !== shownLabel
    if (isOther) rates = new Rates()
    shownLabel = snapshot.selected
    rates.add(snapshot.uptime, getCounts(snapshot))
    updates.forEach(update => update(snapshot, rates, isOther))
    const none = TILES.filter(({ getTotal }) => getTotal?.(snapshot) === 0).map(tile => tile.none!)
    setText(getById('none', HTMLElement), none.length > 0 ? `There were no ${alternatives.format(none)}. ` : '')
  }
}

function createTile(
  list: Element,
  { title, getValue, getPoint = getValue, getTotal, format, formatPoint = format }: Tile,
) {
  const figure = create('span', { class: 'figure' }, '–')
  const viewBox = `0 0 ${WIDTH} ${HEIGHT}`
  const [chart, line, zero] = [
    createSvg('svg', { viewBox, preserveAspectRatio: 'none', 'aria-hidden': true }),
    createSvg('path', {}),
    createSvg('path', { class: 'zero', d: `M0 ${HEIGHT - 2}H${WIDTH}` }),
  ]
  chart.append(zero, line)
  const peak = create('span', { class: 'peak' })
  const note = create('span', { class: 'note' })
  const picture = create('span', { class: 'chart' }, chart, peak)
  const tile = create(
    'div',
    { class: getTotal ? 'tile minute' : 'tile' },
    create('dt', {}, title),
    create('dd', {}, figure, note, picture),
  )
  list.append(tile)
  let points: Point[] = []
  return (snapshot: Snapshot, rates: TotalRates, isOther: boolean): void => {
    const value = getValue(snapshot, rates)
    setText(figure, value === undefined ? '–' : format(value))
    if (getTotal) {
      tile.classList.toggle('trouble', value !== undefined && value > 0)
      const total = getTotal(snapshot)
      tile.hidden = total === 0
      setText(note, `in a minute, ${format(total)} in all`)
    }
    const at = snapshot.uptime
    points = isOther ? [] : points.filter(point => point.at <= at && at - point.at < MINUTE_MS)
    const next = getPoint(snapshot, rates)
    if (next !== undefined) points.push({ at, value: next })
    const highest = points.reduce((a, b) => (b.value > a.value ? b : a), { at, value: 0 })
    setAttribute(line, 'd', toPath(points, highest.value || 1, at))
    setText(peak, highest.value > 0 ? formatPoint(highest.value) : '')
    const place = Math.max(0, 100 - ((at - highest.at) / MINUTE_MS) * 100)
    peak.style.left = `${place}%`
    peak.style.transform = `translateX(-${place}%)`
  }
}

type Point = { at: number; value: number }

function toPath(points: readonly Point[], max: number, now: number): string {
  const x = (at: number): string => (WIDTH - ((now - at) / MINUTE_MS) * WIDTH).toFixed(1)
  const y = (value: number): string => (HEIGHT - 2 - (value / max) * (HEIGHT - 4)).toFixed(1)
  return points.map(({ at, value }, i) => `${i === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('')
}
