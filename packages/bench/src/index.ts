// The exports for programs that run scenarios of their own, or read a report.
export { callArm, type OpenCalls } from './arms/threads.js'
export { COMPARISON_VERSION, type Comparison } from './compare/judge.js'
export type { OwnCodec } from './loops/codec.js'
export {
  latency,
  rate,
  type Arm,
  type Carried,
  type Case,
  type FigureKind,
  type Loop,
  type Measurement,
  type OpenArm,
  type Scenario,
  type Task,
} from './model/scenario.js'
export type { Call, Payload } from './payloads/payloads.js'
export { buildReport, type RunFacts } from './report/build.js'
export {
  BASELINE_VERSION,
  createBaseline as baselineOf,
  getFingerprint as fingerprintOf,
  reportFiles,
  toJson,
} from './report/files.js'
export type { Baseline, Fingerprint, ReportFile } from './report/files.js'
export { GOALS, type Goal } from './report/goals.js'
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
export { getVerdict as verdictOf, type Verdict } from './report/verdict.js'
export type { Machine } from './run/machine.js'
export { FULL, QUICK, type Plan } from './run/plan.js'
export { run, type Cell, type Outcome, type Watcher } from './run/run.js'
export { allScenarios, mainScenarios } from './scenarios/index.js'
export { formatFigure, formatRatio } from './shared/text.js'
