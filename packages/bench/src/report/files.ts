// The files that a run writes into `--out`.
import { toHtml } from './html.js'
import { toComment, toMarkdown, type ViewOptions } from './markdown.js'
import type { Report } from './report.js'

/** The name of a file that `reportFiles` returns. */
export type ReportFile = 'report.json' | 'report.md' | 'report.html' | 'comment.md'

/** Returns the text of each file by its name. */
export const reportFiles = (report: Report, options: ViewOptions = {}): Record<ReportFile, string> => ({
  'report.json': `${JSON.stringify(report, null, 2)}\n`,
  'report.md': toMarkdown(report, options.goals),
  'report.html': toHtml(report, options.goals),
  'comment.md': toComment(report, options),
})
