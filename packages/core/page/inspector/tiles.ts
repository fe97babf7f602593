// The bus as a whole: a figure each, and how it was in the last minute.
import { byId, make, setAttribute, setText } from './dom.js'
import type { Snapshot } from './follow.js'
import { bytes, count, rate } from './format.js'
import type { Part } from './part.js'
import { Rates } from './rates.js'

const MINUTE = 60_000
const [WIDTH, HEIGHT] = [120, 28]

interface Tile {
  title: string
  /** Now. */
  value(snapshot: Snapshot, rates: Rates<Record<string, number>>): number | undefined
  format(value: number): string
  /** Where it is not 0, somebody should look. */
  isTrouble?: true
}

const perSecond =
  (key: keyof Snapshot['sums']): Tile['value'] =>
  (_, rates) =>
    rates.of(key)

const TILES: readonly Tile[] = [
  { title: 'Calls a second', value: perSecond('calls'), format: rate },
  { title: 'Events a second', value: perSecond('events'), format: rate },
  { title: 'Bytes a second', value: perSecond('bytes'), format: bytes },
  { title: 'In flight', value: ({ core }) => core.inFlight, format: count },
  { title: 'Queued', value: ({ sums }) => sums.queued, format: bytes },
  { title: 'Failures a second', value: perSecond('failures'), format: rate, isTrouble: true },
  { title: 'Denied', value: ({ sums }) => sums.denied, format: count, isTrouble: true },
  { title: 'Rejected', value: ({ sums }) => sums.rejected, format: count, isTrouble: true },
  { title: 'Slow calls', value: ({ core }) => core.slow, format: count, isTrouble: true },
  { title: 'Events dropped', value: ({ sums }) => sums.dropped, format: count, isTrouble: true },
]

export function createTiles(): Part {
  const list = byId('tiles', HTMLDListElement)
  const rates = new Rates<Record<string, number>>()
  const shows = TILES.map(tile => {
    const { element, show } = createTile(tile)
    list.append(element)
    return show
  })
  return {
    show(snapshot) {
      rates.add(snapshot.uptime, { ...snapshot.sums })
      shows.forEach(show => show(snapshot, rates))
    },
  }
}

function createTile({ title, value, format, isTrouble }: Tile): {
  element: HTMLElement
  show(snapshot: Snapshot, rates: Rates<Record<string, number>>): void
} {
  const svg = 'http://www.w3.org/2000/svg'
  const figure = make('span', { class: 'figure' }, '–')
  const [chart, line] = [document.createElementNS(svg, 'svg'), document.createElementNS(svg, 'path')]
  for (const [name, given] of [
    ['viewBox', `0 0 ${WIDTH} ${HEIGHT}`],
    ['preserveAspectRatio', 'none'],
    ['aria-hidden', 'true'],
  ] as const) {
    chart.setAttribute(name, given)
  }
  chart.append(line)
  const description = make('dd', {}, figure, chart)
  const element = make('div', { class: 'tile' }, make('dt', {}, title), description)
  let past: { at: number; value: number }[] = []
  return {
    element,
    show(snapshot, rates) {
      const now = value(snapshot, rates)
      setText(figure, now === undefined ? '–' : format(now))
      if (now === undefined) return
      if (isTrouble) element.classList.toggle('trouble', now > 0)
      const at = snapshot.uptime
      past = past.filter(point => point.at <= at && at - point.at < MINUTE)
      past.push({ at, value: now })
      setAttribute(line, 'd', pathOf(past, at))
    },
  }
}

/** From a minute ago to now, above zero. */
function pathOf(points: readonly { at: number; value: number }[], now: number): string {
  const most = Math.max(...points.map(({ value }) => value)) || 1
  const x = (at: number): string => (WIDTH - ((now - at) / MINUTE) * WIDTH).toFixed(1)
  const y = (value: number): string => (HEIGHT - 2 - (value / most) * (HEIGHT - 4)).toFixed(1)
  return points.map(({ at, value }, index) => `${index === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('')
}
