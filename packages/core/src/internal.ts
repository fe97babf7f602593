// The entry `@sallyport/core/internal`: frontends whose code runs outside of this process, for `@sallyport/web`, and the types of
// what the inspector reads.
import { measureValue } from '@sallyport/protocol/internal/codec'
import type { InitScript } from '@sallyport/protocol/internal/contract'
import { notSerializable } from '@sallyport/protocol/internal/errors'
import { Bus } from './host/bus.js'
import type { ExternalFrontend } from './host/frontends/types.js'
import type { ConnectionOptions } from './host/options/types.js'
import type { WebviewConfig } from './host/tauri-project/project.js'
import { createPathResolver, type PathResolver, readPathEnvironment } from '@sallyport/paths/internal/api'
import type { HostLog } from './host/reporting/log.js'

export type { ExternalCode, ExternalFrontend } from './host/frontends/types.js'
export type { AssetScope } from './host/tauri-project/config-schema.js'
export type { Csp, WebviewConfig } from './host/tauri-project/project.js'
export type { ConnectionOptions } from './host/options/types.js'
export type { InitScript } from '@sallyport/protocol/internal/contract'
export type { HostLog } from './host/reporting/log.js'
export type { CommandScope } from './acl/types.js'
export type {
  Capability,
  PermissionDefinition,
  PermissionFile,
  PermissionSetDefinition,
  ScopedPermission,
} from './acl/types.js'
export { type JsonSchema, toJsonSchema } from './api/define.js'
export type { AnyCommand } from './api/define.js'
export { toDocComment, toSchemaType } from './api/schema-type.js'
export type { AddedCommand } from './host/options/types.js'
export type { FrontendInfo } from './host/frontends/types.js'
export type { InspectedBus, OpenInspector } from './host/inspectors.js'
export type { WorkerStatus } from './host/life/supervisor.js'
export type { WatchedCall } from './shared/metrics.js'
export type { RunLimits } from './host/options/types.js'
export type { FrontendStats } from './host/reporting/stats.js'
export type { RunError } from './host/run-report.js'
export type { QuickjsSandbox } from './host/sandboxes/quickjs.js'
export { createRestartPolicy } from './host/life/policy.js'
export type { WorkerFactories } from './host/workers/spawn.js'
export { SharedText } from './shared/shared-text.js'
export { escapeHidden } from '@sallyport/protocol/internal/util'
export type { HookInput } from './testing/hook.js'
export type { DeniedHost } from '@sallyport/process/internal/launchers'
export { checkRuntime } from './host/entry.js'
export { didYouMean } from './shared/suggest.js'
export type { PathResolver } from '@sallyport/paths/internal/api'

/**
 * Opens a frontend whose code joins later. Resolves once core has checked its options, and its gate has its hook.
 *
 * @param where - the caller, for error texts
 * @param limitLabel - the label whose quotas and limits the frontend shares
 * @throws {BusError} InvalidParams for a wrong label or option; Disconnected if the bus is closing; the error of a gate that cannot start
 */
export const openExternalFrontend = (
  bus: Bus,
  where: string,
  label: string,
  options: ConnectionOptions,
  limitLabel: string = label,
): Promise<ExternalFrontend> => Bus.getHost(bus).openExternal(where, label, options, limitLabel)

/** Returns the scripts of core's plugins (`script` of a plugin's definition), in the order in which a page runs them. */
export const getInitScripts = (bus: Bus): readonly InitScript[] => Bus.getHost(bus).core.scripts

/** @throws {BusError} InternalError, with the path of what cannot be sent on this bus. @param what - the subject of the text */
export function checkSendable(bus: Bus, what: string, value: unknown): void {
  try {
    measureValue(value, Bus.getHost(bus).options.codec)
  } catch (cause) {
    throw notSerializable(what, 'InternalError', cause, value)
  }
}

export const getLog = (bus: Bus): HostLog => Bus.getHost(bus).log

/** Returns the parts of a Tauri project's configuration that are about pages, if the bus has one. */
export const getWebviewConfig = (bus: Bus): WebviewConfig | undefined => Bus.getHost(bus).options.webview

/** Returns true with the option `dev`. */
export const isDevMode = (bus: Bus): boolean => Bus.getHost(bus).options.dev

/** Returns the paths of `ctx.app.path`. */
export function getPathResolver(bus: Bus): PathResolver {
  const { appInfo, resources } = Bus.getHost(bus).options
  return createPathResolver(readPathEnvironment(appInfo?.identifier ?? '', resources?.href))
}
