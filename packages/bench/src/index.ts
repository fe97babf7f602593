// What a program uses that runs scenarios of its own, or reads a report.
export type { Arm, Carried, OpenArm } from './arm.js'
export { callArm, type OpenCalls } from './arms/call.js'
export type { Call, Payload } from './payloads/payload.js'
export { COMPARISON_VERSION, type Comparison } from './compare/report.js'
export { GOALS, type Goal } from './goals.js'
export { FULL, QUICK, type Plan } from './run/plan.js'
export { buildReport, type RunFacts } from './report/build.js'
export { toJson } from './report/json.js'
export { reportFiles, type ReportFile } from './report/files.js'
export { toComment, toMarkdown } from './report/markdown.js'
export { baselineOf, BASELINE_VERSION, fingerprintOf, type Baseline, type Fingerprint } from './report/baseline.js'
export { verdictOf, type Verdict } from './report/verdict.js'
export {
  findFigure,
  SCHEMA_VERSION,
  type CaseReport,
  type CostStep,
  type Figure,
  type GoalReport,
  type Machine,
  type Noise,
  type NoiseCheck,
  type ArmReport,
  type Report,
  type Result,
  type ScenarioReport,
} from './report/report.js'
export { formatFigure, formatRatio } from './report/format.js'
export { run, type Cell, type Outcome, type Watcher } from './run/run.js'
export { latency, rate, type Case, type FigureKind, type Scenario } from './scenario.js'

export { allScenarios, mainScenarios } from './scenarios/index.js'
export type { OwnCodec } from './workers/own-codec.js'
export type { Loop, Measurement, Task } from './task.js'
