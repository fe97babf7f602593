// Entry for core modules and hosts.

export { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol/internal'
export type {
  BusErrorReason,
  BusEvent,
  CodecName,
  EventTarget,
  CallHeaders,
  CallOptions,
  CallTrace,
  EventTrace,
  TransferOptions,
  Unlisten,
} from '@sallyport/protocol/internal'
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
export type { Channel } from './rpc/channel.js'
export { command, defineCore, plugin } from './api/define.js'
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
export type { BusTypes, BusTypesOf, ExposedBy, FrontendProxy, TypedCore } from './api/bus-types.js'
export type { Bus } from './host/bus.js'
export type { FrontendInfo } from './host/frontends/frontend-info.js'
export type { Inspector } from './host/inspector/server.js'
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
export type { BusInspection } from './host/supervision/supervisor.js'
export type { BusEvents, WorkerKind } from './host/reporting/events.js'
export { createBus } from './host/entry.js'
export type { OnConfirm } from './host/reporting/confirm.js'
export type { Logger, LogLevel } from './host/reporting/log.js'
export type { WorkerFactories } from './host/workers/spawn.js'
export { BaseDirectory, type PathResolver } from './path/directories.js'
export type { Resources } from './api/resources.js'
export { stateKey, type StateKey } from './api/state.js'
export { transfer } from './api/transfer.js'
export type {
  BusOptions,
  ConnectionOptions,
  FrontendModule,
  FrontendOptions,
  ModuleSource,
  RunOptions,
  IsolationOptions,
  NetworkOptions,
  PermissionSandbox,
  ProcessSandbox,
  Sandbox,
  SesSandbox,
} from './host/options/types.js'
export type { Launch, Launcher, LaunchInfo, LaunchLimits } from './launchers/launcher.js'
export type { OnStdio } from './host/workers/output.js'
export type { ModuleLocation } from './host/options/schema.js'
