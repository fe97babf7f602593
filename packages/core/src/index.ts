// Entry for core modules and hosts.

export { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol/internal/errors'
export type { CodecName } from '@sallyport/protocol/internal/codec'
export type { BusErrorReason } from '@sallyport/protocol/internal/errors'
export type { BusEvent, CallOptions, Unlisten } from '@sallyport/protocol/internal/message'
export type { CallTrace, EventTrace } from '@sallyport/protocol/internal/rpc'
export type { AnyClient as Client, EventHandler, InvokeOptions, Serialized } from '@sallyport/frontend/internal'
export type { App, CommandContext, Middleware } from './api/app.js'
export type { Capability, PermissionFile } from './acl/types.js'
export type { Channel } from './rpc/channels.js'
export { command, defineCore, plugin } from './api/define.js'
export type { CommandDescription } from './api/define.js'
export type {
  Command,
  CommandHandler,
  CommandOptions,
  Commands,
  CoreDefinition,
  Plugin,
  PluginApi,
  PluginDefinition,
} from './api/define.js'
export type { BusTypes, ExposedBy, FrontendProxy, TypedCore } from './api/app.js'
export type { Bus } from './host/bus.js'
export type { AddedPlugin } from './options/types.js'
export type { InterruptedRun, RunReport } from './host/run-report.js'
export type { Inspector } from './options/types.js'
export type { BusStats } from './life/reporting/stats.js'
export type { BusTransition } from './life/supervisor.js'
export type { SupervisionOptions } from './life/policy.js'
export type { BusEvents } from './life/reporting/events.js'
export { createBus } from './host/entry.js'
export type { OnConfirm } from './life/reporting/confirm.js'
export type { Logger } from './life/reporting/log.js'
export { BaseDirectory, type PathResolver } from '@sallyport/paths/internal/api'
export type { Resources } from './api/resources.js'
export { stateKey, type StateKey } from './api/app.js'
export { transfer } from './api/transfer.js'
export type {
  BusOptions,
  ConnectionOptions,
  FrontendModule,
  FrontendOptions,
  ModuleSource,
  ResumeOptions,
  RunFunction,
  RunFunctions,
  RunOptions,
} from './options/types.js'
export type { Sandbox } from './life/sandboxes/kinds.js'
export type { OnStdio } from './life/workers/output.js'
export type { ModuleLocation } from './shared/locations.js'
