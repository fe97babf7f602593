// The files that a run writes into `--out`, and the lines of `--lines`, which a comparison reads.
import { isSteadyKind } from '../scenarios/scenario.js'
import { quantile } from '../statistics/median.js'
import { toHtml } from './html.js'
import { toMarkdown } from './markdown.js'
import { everyFigure, type Figure, type Report } from './report.js'

/** The name of a file that `reportFiles` returns. */
export type ReportFile = 'report.json' | 'report.md' | 'report.html'

/** Returns the text of each file by its name. */
export const reportFiles = (report: Report): Record<ReportFile, string> => ({
  'report.json': `${JSON.stringify(report, null, 2)}\n`,
  'report.md': toMarkdown(report),
  'report.html': toHtml(report),
})

/**
 * Other work on a machine only makes rounds slower: it empties caches, and compilation comes late. So their better quartile varies by half as
 * much as their median.
 */
const QUARTILE = { lower: 0.25, higher: 0.75 } as const

const getBetterQuartile = ({ better, processes }: Figure): number =>
  quantile(Float64Array.from(processes.flat()).sort(), QUARTILE[better])

/** Returns an object of JSON for each figure that can be compared, one a line. */
export const toLines = (report: Pick<Report, 'scenarios'>): string =>
  everyFigure(report)
    .filter(({ path, figure }) => isSteadyKind({ id: path.split('/')[1]! }, figure))
    .map(({ path, figure }) => {
      const { unit, better } = figure
      return `${JSON.stringify({ name: path, value: getBetterQuartile(figure), unit, better })}\n`
    })
    .join('')
