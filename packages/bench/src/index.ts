// The exports for programs that read a report.
export { reportFiles, type ReportFile } from './report/files.js'
export type { Goal } from './report/goals.js'
export { toComment, toMarkdown } from './report/markdown.js'
export {
  findFigure,
  SCHEMA_VERSION,
  type ArmReport,
  type CaseReport,
  type CostStep,
  type Figure,
  type GoalReport,
  type Noise,
  type NoiseCheck,
  type Report,
  type Result,
  type ScenarioReport,
} from './report/report.js'
export { getVerdict, type Verdict } from './report/verdict.js'
export type { Machine } from './run/machine.js'
export type { FigureKind } from './model/scenario.js'
export { formatFigure, formatRatio } from './shared/text.js'
