// The exports for programs that read a report.
import { toHtml } from './report/html.js'
import { toMarkdown } from './report/markdown.js'
import type { Report } from './report/report.js'

export { SCHEMA_VERSION, type Report } from './report/report.js'

/** The name of a file that `reportFiles` returns. */
export type ReportFile = 'report.json' | 'report.md' | 'report.html'

/** Returns the text of each file by its name. */
export const reportFiles = (report: Report): Record<ReportFile, string> => ({
  'report.json': `${JSON.stringify(report, null, 2)}\n`,
  'report.md': toMarkdown(report),
  'report.html': toHtml(report),
})
