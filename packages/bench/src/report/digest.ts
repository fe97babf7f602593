// The table that a run ends with: what it costs to be safe, on one screen. Everything in it stands in the other tables too.
import { findFigure, type Figure, type Report } from './report.js'
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
    `${caseId}/ring-${codec}/${figure}`,
    `${caseId}/isolation-ring-${codec}/${figure}`,
  ],
})

const ROWS: readonly Row[] = [
  row('a call (median), JSON', 'isolation/1', 'p50'),
  row('calls, 64 in flight, JSON', 'isolation/64', 'rate'),
  row('GitHub pull request event', 'documents/github-pull-request', 'p50'),
  row('DevTools protocol as JSON', 'documents/devtools', 'p50'),
  row('DevTools protocol as bytes', 'documents/devtools-bytes', 'p50'),
  row('events, core → frontend', 'events/in', 'rate'),
  row('events, frontend → core', 'events/out', 'rate'),
  row('channel, core → frontend', 'channel/channel', 'rate'),
  row('start to first reply *', 'start/start', 'time', 'json', 'worker'),
]

/** The rows of which the run measured more than the reference: that, brownfield, isolation. */
export const digestFigures = (
  report: Pick<Report, 'scenarios'>,
): { title: string; figures: (Figure | undefined)[] }[] =>
  ROWS.map(({ title, paths }) => ({ title, figures: paths.map(path => findFigure(report, path)) })).filter(
    ({ figures: [, brownfield, isolation] }) => brownfield ?? isolation,
  )

/** @returns `undefined` where there is nothing to compare with a reference */
export function digestTable(report: Pick<Report, 'scenarios'>): Table | undefined {
  const rows = digestFigures(report).map(({ title, figures }): Cell[] => [
    { text: title },
    ...figures.map((figure, at) => (figure ? figureCell(figure, at === 0) : MISSING)),
  ])
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
