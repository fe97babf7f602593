// The files that a run writes into `--out`.
import { toHtml } from './html.js'
import { toComment, toMarkdown } from './markdown.js'
import type { Report } from './report.js'

/** The name of a file that `reportFiles` returns. */
export type ReportFile = 'report.json' | 'report.md' | 'report.html' | 'comment.md'

/**
 * Returns the text of each file by its name.
 *
 * @param runUrl the URL of the CI job, which the comment links to
 */
export const reportFiles = (report: Report, runUrl?: string): Record<ReportFile, string> => ({
  'report.json': `${JSON.stringify(report, null, 2)}\n`,
  'report.md': toMarkdown(report),
  'report.html': toHtml(report),
  'comment.md': toComment(report, runUrl),
})
