// What a core module and a host import.
export { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol'
export type {
  BusErrorCode,
  BusErrorReason,
  BusEvent,
  CodecName,
  EventTarget,
  CallHeaders,
  CallTrace,
  CommandErrorData,
  EventTrace,
  FailedCommand,
  TracedError,
  Unlisten,
} from '@sallyport/protocol'
export type { Client, EmitOptions, EventHandler, InvokeOptions, ListenOptions } from '@sallyport/frontend/client'
export type { App, AppEventHandler, AppListenOptions } from './app.js'
export type { PermissionDefinition, PermissionFile, PermissionSetDefinition } from './authority/acl.js'
export type { Capability, Pattern, PermissionEntry, Platform } from './authority/capability.js'
export type { AccessKind, ExplainedCommand, ExplainedFrontend, Explanation } from './authority/explain.js'
export type { CommandScope, Scope } from './authority/scope.js'
export type { Channel, SendOptions } from './channel.js'
export type { FrontendCallOptions } from './frontend-call.js'
export type { CommandContext, CommandRequest } from './context.js'
export {
  command,
  defineCore,
  plugin,
  type AnyCommand,
  type Command,
  type CommandHandler,
  type CommandOptions,
  type Commands,
  type CoreDefinition,
  type Plugin,
  type PluginApi,
  type PluginDefinition,
  type PooledCommandOptions,
} from './define.js'
export type { Middleware, MiddlewareCall } from './middleware.js'
export type { Bus, CloseOptions } from './host/bus.js'
export type { ExplainOptions } from './host/review.js'
export type { Inspector, InspectorOptions } from './host/inspector/inspector.js'
export type { CallQuota } from './control.js'
export type { CallsOptions } from './host/options.js'
export type { BusStats, CoreStats, FrontendStats, GateStats } from './host/stats.js'
export type { WorkerState, WorkerStats } from './host/supervision.js'
export type { LatencyStats, TrafficRates, TrafficStats } from './host/traffic.js'
export type { SupervisionOptions } from './host/supervision.js'
export type { BusInspection } from './host/supervisor.js'
export type { Actor, BusEvents } from './host/teller.js'
export { createBus } from './create-bus.js'
export { explainCapabilities, type ExplainedCapabilities } from './explain-capabilities.js'
export type { ConfirmFrom } from './host/confirm.js'
export type { Logger } from './host/log.js'
export type { WorkerMaker, WorkerMakers } from './host/worker-makers.js'
export { BaseDirectory } from './plugins/path/base-directory.js'
export type { PathResolver } from './plugins/path/resolver.js'
export type { ResourceType, Resources } from './resources.js'
export { stateKey, type NamedStateKey, type StateKey } from './state.js'
export { transfer } from './transfer.js'
export type { BusOptions, ConnectionOptions, CoreModule, FrontendModule, FrontendOptions, IsolationOptions, PatternOptions, PermissionSandbox, ProcessSandbox, Sandbox, SesSandbox, SecurityOptions } from './host/options.js'
export type { OnStdio } from './host/captured.js'
export type { ModuleLocation } from './host/location.js'
export type { NetworkOptions } from './host/options.js'
