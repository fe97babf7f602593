// What a program uses that runs scenarios of its own, or reads a report.
export type { Arm, Carried, OpenArm } from './arm.js'
export { callArm, type OpenCalls } from './arms/call.js'
export type { Call, Payload } from './payloads/payload.js'
export { COMPARISON_VERSION, type Comparison } from './compare/judge.js'
export { FULL, QUICK, type Plan } from './run/plan.js'
export type { Machine } from './run/machine.js'
export { buildReport, type RunFacts } from './report/build.js'
export { BASELINE_VERSION, baselineOf, fingerprintOf, reportFiles, toJson } from './report/files.js'
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
export { verdictOf, type Verdict } from './report/verdict.js'
export { run, type Cell, type Outcome, type Watcher } from './run/run.js'
export { formatFigure, formatRatio } from './shared/text.js'
export { latency, rate, type Case, type FigureKind, type Scenario } from './scenario.js'

export { allScenarios, mainScenarios } from './scenarios/index.js'
export type { OwnCodec } from './workers/own-codec.js'
export type { Loop, Measurement, Task } from './task.js'
