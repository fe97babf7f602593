// The report as a file for programs. schema/report.schema.json describes it.
import type { Report } from './report.js'

export const toJson = (report: Report): string => `${JSON.stringify(report, null, 2)}\n`
