// Figures of the whole bus, each with a chart of the last minute.
import { create, createSvg, getById, setAttribute, setText } from './dom.js'
import type { ShowSnapshot, Snapshot } from './follow.js'
import { bytes, count, rate, Rates } from './figures.js'

const MINUTE_MS = 60_000
const [WIDTH, HEIGHT] = [120, 28]

type TotalRates = Rates<Record<string, number>>

interface Tile {
  title: string
  getValue(snapshot: Snapshot, rates: TotalRates): number | undefined
  format(value: number): string
  /** Any value but 0 needs attention. */
  isTrouble?: true
}

const perSecond =
  (key: keyof Snapshot['totals']): Tile['getValue'] =>
  (_, rates) =>
    rates.get(key)

const TILES: readonly Tile[] = [
  { title: 'Calls a second', getValue: perSecond('calls'), format: rate },
  { title: 'Events a second', getValue: perSecond('events'), format: rate },
  { title: 'Bytes a second', getValue: perSecond('bytes'), format: bytes },
  { title: 'In flight', getValue: ({ core }) => core.inFlight, format: count },
  { title: 'Queued', getValue: ({ queued }) => queued, format: bytes },
  { title: 'Failures a second', getValue: perSecond('failures'), format: rate, isTrouble: true },
  { title: 'Denied', getValue: ({ totals }) => totals.denied, format: count, isTrouble: true },
  { title: 'Rejected', getValue: ({ totals }) => totals.rejected, format: count, isTrouble: true },
  { title: 'Slow calls', getValue: ({ core }) => core.slow, format: count, isTrouble: true },
  { title: 'Events dropped', getValue: ({ totals }) => totals.dropped, format: count, isTrouble: true },
]

export function createTiles(): ShowSnapshot {
  const list = getById('tiles', HTMLDListElement)
  const rates: TotalRates = new Rates()
  const updates = TILES.map(tile => createTile(list, tile))
  return snapshot => {
    rates.add(snapshot.uptime, snapshot.totals)
    updates.forEach(update => update(snapshot, rates))
  }
}

/** Adds a tile, and returns a function that updates it. */
function createTile(list: Element, { title, getValue, format, isTrouble }: Tile) {
  const figure = create('span', { class: 'figure' }, '–')
  const viewBox = `0 0 ${WIDTH} ${HEIGHT}`
  const [chart, line] = [
    createSvg('svg', { viewBox, preserveAspectRatio: 'none', 'aria-hidden': true }),
    createSvg('path', {}),
  ]
  chart.append(line)
  const peak = create('span', { class: 'peak' })
  const tile = create('div', { class: 'tile' }, create('dt', {}, title), create('dd', {}, figure, chart, peak))
  list.append(tile)
  let points: Point[] = []
  return (snapshot: Snapshot, rates: TotalRates): void => {
    const value = getValue(snapshot, rates)
    setText(figure, value === undefined ? '–' : format(value))
    if (value === undefined) return
    if (isTrouble) tile.classList.toggle('trouble', value > 0)
    const at = snapshot.uptime
    points = points.filter(point => point.at <= at && at - point.at < MINUTE_MS)
    points.push({ at, value })
    const max = Math.max(...points.map(point => point.value))
    setText(peak, `peak ${format(max)}`)
    setAttribute(line, 'd', toPath(points, max || 1, at))
  }
}

type Point = { at: number; value: number }

/** Draws the last minute, from zero up to `max`. */
function toPath(points: readonly Point[], max: number, now: number): string {
  const x = (at: number): string => (WIDTH - ((now - at) / MINUTE_MS) * WIDTH).toFixed(1)
  const y = (value: number): string => (HEIGHT - 2 - (value / max) * (HEIGHT - 4)).toFixed(1)
  return points.map(({ at, value }, i) => `${i === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('')
}
