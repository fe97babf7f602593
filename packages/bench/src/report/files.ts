// All forms of a report that `--out` gets, each with its name.
import { toActionBenchmark } from './action-benchmark.js'
import { toBaseline } from './baseline.js'
import { toBencher } from './bencher.js'
import { toHtml } from './html/page.js'
import { toJson } from './json.js'
import { toComment, toMarkdown } from './markdown.js'
import type { Report } from './report.js'

export const reportFiles = (report: Report): Record<ReportFile, string> => ({
  'report.json': toJson(report),
  'report.md': toMarkdown(report),
  'report.html': toHtml(report),
  'comment.md': toComment(report),
  'baseline.json': toBaseline(report),
  'customBiggerIsBetter.json': toActionBenchmark(report, 'higher'),
  'customSmallerIsBetter.json': toActionBenchmark(report, 'lower'),
  'bencher.json': toBencher(report),
})

export type ReportFile =
  | 'report.json'
  | 'report.md'
  | 'report.html'
  | 'comment.md'
  | 'baseline.json'
  | 'customBiggerIsBetter.json'
  | 'customSmallerIsBetter.json'
  | 'bencher.json'
