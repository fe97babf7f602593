// The files that a run writes into `--out`.
import { toHtml } from './html.js'
import { toMarkdown } from './markdown.js'
import type { Report } from './report.js'

/** The name of a file that `reportFiles` returns. */
export type ReportFile = 'report.json' | 'report.md' | 'report.html'

/** Returns the text of each file by its name. */
export const reportFiles = (report: Report): Record<ReportFile, string> => ({
  'report.json': `${JSON.stringify(report, null, 2)}\n`,
  'report.md': toMarkdown(report),
  'report.html': toHtml(report),
})
