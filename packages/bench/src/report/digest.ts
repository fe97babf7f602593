// The table that a run ends with: what it costs to be safe, on one screen. Everything in it stands in the other tables too.
import { findFigure, type Report } from './report.js'
import { figureCell, MISSING, type Cell, type Table } from './table.js'

interface Row {
  title: string
  /** Paths of the figures: the reference, brownfield, isolation with its cipher. */
  paths: readonly [string, string, string]
}

const row = (title: string, caseId: string, figure: string, codec = 'json', reference = 'raw'): Row => ({
  title,
  paths: [
    `${caseId}/${reference}/${figure}`,
    `${caseId}/brownfield-${codec}/${figure}`,
    `${caseId}/isolation-${codec}/${figure}`,
  ],
})

const ROWS: readonly Row[] = [
  row('a call (median), JSON', 'call/1', 'p50'),
  row('a call (median), msgpack', 'call/1', 'p50', 'msgpack'),
  row('calls, 64 in flight, JSON', 'call/64', 'rate'),
  row('calls, 64 in flight, msgpack', 'call/64', 'rate', 'msgpack'),
  row('GitHub pull request event', 'payload/github-pull-request', 'p50'),
  row('DevTools protocol as JSON', 'payload/devtools', 'p50'),
  row('DevTools protocol as bytes', 'payload/devtools-bytes', 'p50'),
  row('events, core → frontend', 'stream/events-in', 'rate'),
  row('events, frontend → core', 'stream/events-out', 'rate'),
  row('channel, core → frontend', 'stream/channel', 'rate'),
  row('start to first reply *', 'start/start', 'time', 'json', 'worker'),
]

/** @returns `undefined` where there is nothing to compare with a reference */
export function digestTable(report: Pick<Report, 'scenarios'>): Table | undefined {
  const rows = ROWS.flatMap(({ title, paths }): Cell[][] => {
    const figures = paths.map(path => findFigure(report, path))
    if (!figures[1] && !figures[2]) return []
    return [[{ text: title }, ...figures.map((figure, at) => (figure ? figureCell(figure, at === 0) : MISSING))]]
  })
  if (rows.length === 0) return undefined
  const about = '× is the ratio to the reference, round by round: of a time less is better, of a rate (/s) more.'
  const starred = rows.some(([name]) => name?.text.endsWith('*'))
  return {
    title: 'In short',
    about: starred ? `${about} * The reference of a start is one empty Worker.` : about,
    head: ['', 'raw MessagePort', 'brownfield', 'isolation'],
    rows,
  }
}
