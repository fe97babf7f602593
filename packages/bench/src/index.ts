// What a program uses that runs scenarios of its own, or reads a report.
export type { Arm, OpenArm } from './arm.js'
export type { Call, Payload } from './payloads/payload.js'
export { GOALS, type Goal } from './goals.js'
export { FULL, QUICK, type Plan } from './plan.js'
export { buildReport, type RunFacts } from './report/build.js'
export { toJson } from './report/json.js'
export { toMarkdown } from './report/markdown.js'
export {
  findFigure,
  SCHEMA_VERSION,
  type CaseReport,
  type CostStep,
  type Figure,
  type GoalReport,
  type Machine,
  type Report,
  type Result,
  type ScenarioReport,
} from './report/report.js'
export { run, type Cell, type Outcome, type Watcher } from './run.js'
export { latency, rate, type Case, type FigureKind, type Scenario } from './scenario.js'
export { allScenarios, linkScenarios, namedScenarios } from './scenarios/index.js'
export type { Loop, Measurement, Task } from './task.js'
