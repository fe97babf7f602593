// Messages from thread to thread, one file for each pair. What the other packages use of them.
export type {
  FrontendFunctions,
  FrontendScript,
  ScriptNetwork,
  ScriptOptions,
  ScriptRunner,
  ScriptThread,
} from './contract/frontend-script.js'
export { type Beating, type Heartbeat, beat, createHeartbeat, createHeartbeatFor } from './contract/heartbeat.js'
export { areTokens, MAX_UNHANDLED, THREAD_TIME_FILE } from './contract/host-frontend.js'
export type {
  EngineModule,
  EngineOptions,
  FrontendCommand,
  FrontendReport,
  FrontendSandbox,
  FrontendStart,
  FrontendWorkerData,
  InitScript,
  ModuleText,
  SuspendedScript,
} from './contract/host-frontend.js'
export {
  CONFIRM_WORD,
  type ConfirmRequest,
  type GateCommand,
  type GateReport,
  type GateThreadData,
  type GateTimes,
  type GateWorkerData,
  RECORD_DIRECTION,
  type SessionKey,
  toConfirmText,
} from './contract/host-gate.js'
export {
  type Answer,
  LIFECYCLE_STATES,
  type LifecycleState,
  type Question,
  type StateReport,
} from './contract/host-worker.js'
export {
  type FrontendPreparation,
  type FrontendProcessCommand,
  getScriptStreams,
  PROCESS_PIPES,
} from './contract/relay-frontend.js'
export { BROKER_OUTCOME, BROKER_REASON, BROKER_SCHEME, CONNECTION_HEADERS } from './contract/network-broker.js'
export { MAX_OUTPUT_TEXT, Output, type OutputReport, type OutputRequest, type OutputStream } from './contract/output.js'
export { deserializeValue, serializeValue } from './contract/serialize.js'
export {
  ACTIVITY,
  endsAtOnce,
  Member,
  type MemberCommand,
  type MemberConnection,
  type MemberMessages,
  MemberOutbox,
  type MemberPort,
  type MemberReport,
  readMembers,
  serveMembers,
} from './contract/shared-thread.js'
export { serveLife } from './contract/serve-life.js'
export {
  ABANDON_TIMEOUT_MS,
  ANSWER_TIMEOUT_MS,
  CONFIRM_TIMEOUT_MS,
  deadline,
  every,
  later,
  patience,
  pause,
  type Peer,
  SILENT_MS,
  watchSilence,
  withDeadline,
  within,
} from './contract/timers.js'
