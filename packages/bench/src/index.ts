// The exports for programs that read a report.
export { reportFiles, type ReportFile } from './report/build.js'
export { SCHEMA_VERSION, type Report } from './report/report.js'
