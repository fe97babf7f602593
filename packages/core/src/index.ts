// Entry for core modules and hosts.

export { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol/internal/errors'
export type { CodecName } from '@sallyport/protocol/internal/codec'
export type { BusErrorReason } from '@sallyport/protocol/internal/errors'
export type {
  BusEvent,
  EventTarget,
  CallHeaders,
  CallOptions,
  IdleTimeout,
  TransferOptions,
  Unlisten,
  WaitOptions,
} from '@sallyport/protocol/internal/message'
export type { CallTrace, EventTrace } from '@sallyport/protocol/internal/rpc'
export type {
  CallParameters,
  Client,
  ClientTypes,
  CommandName,
  CommandResult,
  EmitParameters,
  EventHandler,
  InvokeOptions,
  ListenOptions,
  Serialized,
  StreamItem,
  StreamName,
} from '@sallyport/frontend/internal'
export type { App, CommandContext, CommandRequest, Middleware, MiddlewareCall } from './api/app.js'
export type {
  Capability,
  PermissionDefinition,
  PermissionEntry,
  ScopedPermission,
  PermissionFile,
  PermissionSetDefinition,
  Platform,
} from './acl/types.js'
export type { CommandScope, Scope } from './acl/scope.js'
export type { Channel } from './rpc/channels/channel.js'
export { command, defineCore, plugin } from './api/define.js'
export type { CommandContent, CommandDescription, JsonSchema } from './api/command-description.js'
export { toDocComment, toSchemaType } from './api/schema-type.js'
export type {
  AnyCommand,
  Command,
  CommandHandler,
  CommandOptions,
  Commands,
  CoreDefinition,
  Plugin,
  PluginApi,
  PluginDefinition,
} from './api/define.js'
export type { BusTypes, BusTypesOf, ExposedBy, FrontendProxy, FunctionResult, TypedCore } from './api/bus-types.js'
export type { Bus } from './host/bus.js'
export type { AddedCommand, AddedPlugin } from './host/added-plugin.js'
export type { DescribeOptions } from './host/describe-commands.js'
export type { RunFunction, RunFunctions, RunHandler } from './host/options/run-functions.js'
export type { RunLog } from './host/run-output.js'
export type { EndedRun, InterruptedRun, RunError, RunReport, RunTraffic } from './host/run-report.js'
export type { FrontendInfo } from './host/frontends/frontend-info.js'
export type { Inspector } from './host/inspectors.js'
export type { CallQuota, CallsOptions, NetworkCounts, NetworkStats } from './contract/host-core.js'
export type {
  BusStats,
  CoreStats,
  FrontendStats,
  GateStats,
  LatencyStats,
  TrafficStats,
} from './host/reporting/stats.js'
export type { SupervisionOptions, WorkerState, WorkerStats } from './host/supervision/policy.js'
export type { BusInspection } from './host/life/supervisor.js'
export type { BusEvents, WorkerKind } from './host/reporting/events.js'
export { createBus } from './host/entry.js'
export type { OnConfirm } from './host/reporting/confirm.js'
export type { Logger, LogLevel } from './host/reporting/log.js'
export type { WorkerFactories } from './host/workers/spawn.js'
export { BaseDirectory, type PathResolver } from '@sallyport/paths/internal/api'
export type { Resources } from './api/resources.js'
export { stateKey, type StateKey } from './api/state.js'
export { transfer } from './api/transfer.js'
export type {
  BusOptions,
  ConnectionOptions,
  FrontendModule,
  FrontendOptions,
  ModuleSource,
  ReportedResumeOptions,
  ReportedRunOptions,
  ResumeAnswer,
  ResumeOptions,
  RunLimits,
  RunOptions,
  RunsOptions,
  IsolationOptions,
  NetworkOptions,
} from './host/options/types.js'
export type { Sandbox } from './host/sandboxes/kinds.js'
export type { PermissionSandbox } from './host/sandboxes/permission.js'
export type { ProcessSandbox } from './host/sandboxes/process.js'
export type { QuickjsSandbox } from './host/sandboxes/quickjs.js'
export type { Launch, Launcher, LaunchInfo, LaunchLimits } from '@sallyport/process/internal/launchers'
export type { OnStdio } from './host/workers/output.js'
export type { ModuleLocation } from './shared/locations.js'
export { SharedText } from './shared/shared-text.js'
