// The files that a run writes into `--out`.
import { toHtml } from './html.js'
import { toMarkdown } from './markdown.js'
import type { Report } from './report.js'

/** The name of a file that `reportFiles` returns. */
export type ReportFile = 'report.json' | 'report.md' | 'report.html'

/**
 * Returns the text of each file by its name.
 *
 * @param options - `goals` shows the goals of the project
 */
export const reportFiles = (report: Report, options: { goals?: boolean } = {}): Record<ReportFile, string> => ({
  'report.json': `${JSON.stringify(report, null, 2)}\n`,
  'report.md': toMarkdown(report, options.goals),
  'report.html': toHtml(report),
})
