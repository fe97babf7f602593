// The entry `@sallyport/core/internal`: what Sallyport's other packages use of core, such as frontends whose code runs elsewhere.
import { measureValue } from '@sallyport/protocol/internal/codec'
import type { InitScript } from '@sallyport/protocol/internal/contract'
import { notSerializable } from '@sallyport/protocol/internal/errors'
import { MAX_USERS_CONFIRM_REQUESTS } from '@sallyport/protocol/internal/wire'
import type { Client } from '@sallyport/frontend/internal'
import { Bus } from './host/bus.js'
import type { RightsSource } from './acl/types.js'
import { HOST_METHOD } from './contract/host-core.js'
import type { Continuations } from './life/continuations/continuations.js'
import type { ExternalFrontend } from './life/frontends/types.js'
import { readImageOf } from './life/sandboxes/quickjs.js'
import type { ConnectionOptions } from './options/types.js'
import type { WebviewConfig } from './options/tauri-project/project.js'
import { createPathResolver, type PathResolver, readPathEnvironment } from '@sallyport/paths/internal/api'
import type { ConfirmCall } from './life/reporting/confirm.js'
import type { HostLog } from './life/reporting/log.js'

export type { ExternalCode, ExternalFrontend } from './life/frontends/types.js'
export type { AssetScope } from './options/tauri-project/config-schema.js'
export type { Csp, WebviewConfig } from './options/tauri-project/project.js'
export type { ConnectionOptions } from './options/types.js'
export type { InitScript } from '@sallyport/protocol/internal/contract'
export type { HostLog } from './life/reporting/log.js'
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
export type { AddedCommand } from './options/types.js'
export type { FrontendInfo } from './life/frontends/types.js'
export type { InspectedBus, OpenInspector } from './host/inspectors.js'
export type { WorkerStatus } from './life/supervisor.js'
export type { WatchedCall } from './shared/metrics.js'
export type { RunLimits } from './options/types.js'
export type { FrontendStats } from './life/reporting/stats.js'
export type { RunError } from './host/run-report.js'
export type { QuickjsSandbox } from './life/sandboxes/quickjs.js'
export { createRestartPolicy } from './life/policy.js'
export { checkRunOptions, RunInterrupt } from './options/resolve-run.js'
export type { WorkerFactories } from './life/workers/spawn.js'
export { SharedText } from './shared/shared-text.js'
export { invokeWithId } from '@sallyport/frontend/internal'
export { decodeText, escapeHidden, parseJson } from '@sallyport/protocol/internal/util'
export { BOOLEAN, checkOptions, FUNCTION, isYes, OBJECT, STRING } from '@sallyport/protocol/internal/errors'
export { checkSecretOptions } from './shared/validate.js'
export { every, later, silence } from '@sallyport/protocol/internal/contract'
export type { HookInput } from './testing/hook.js'
export type { DeniedHost } from '@sallyport/process/internal/launchers'
export { checkRuntime } from './host/entry.js'
export { getHomeDirectory, type PathResolver } from '@sallyport/paths/internal/api'

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

/**
 * Seals questions to users with the key of the bus's runs, opens them, and claims them with `runs.claim`: what waits for an answer is kept by
 * whoever asks.
 */
export const getQuestions = (bus: Bus): Omit<Continuations, 'seal' | 'open' | 'reserve'> =>
  Bus.getHost(bus).options.continuations!

/**
 * Refuses what this bus cannot go on with, before anybody is asked, or claims what waits for it. Code that is run can return what looks like a
 * continuation, but not make one.
 *
 * @throws {BusError} InvalidParams
 */
export async function checkContinuation(bus: Bus, sealed: Uint8Array): Promise<void> {
  const { header } = await Bus.getHost(bus).options.continuations!.open(sealed)
  await readImageOf(header.engine)
}

/**
 * Connects a label that many users share, so that more questions of `ctx.confirm` can be open. What they get becomes JSON: core refuses what JSON
 * would change, and tells the command so. @throws {BusError} as `bus.connect`
 */
export const connectUsers = async (bus: Bus, label: string, options: ConnectionOptions): Promise<Client> => {
  const users = { codec: 'json', maxConfirms: MAX_USERS_CONFIRM_REQUESTS } as const
  return (await Bus.getHost(bus).connect(label, options, undefined, users)).client
}

/** Answers `ctx.confirm` of the calls of the frontend with this label, on a bus without `onConfirm`. Returns what ends that. */
export const answerConfirms = (bus: Bus, label: string, confirm: ConfirmCall): (() => void) => {
  const { core, frontends } = Bus.getHost(bus)
  return core.confirmRequests.answerCallsOf(frontends.get(label)?.id, confirm)
}

/** Is `bus.open` for a plugin, whose denials name the place where it asks for rights, and not `allow` of the program. */
export const openPlugin = (bus: Bus, source: RightsSource, ...opened: Parameters<Bus['open']>): Promise<void> =>
  Bus.openPlugin(bus, source, ...opened)

/** True if the frontend that has this label, or had it last, was opened by `openPlugin` with this source: a label can be that of another one later. */
export const isOpenedWith = (bus: Bus, label: string, source: RightsSource): boolean =>
  Bus.getHost(bus).frontends.getRightsSource(label) === source

/** Returns what capabilities allow this label, and not all labels. @throws {BusError} Disconnected while core restarts */
export const listOwnRights = (bus: Bus, label: string): Promise<string[]> =>
  Bus.getHost(bus).core.client.invoke<string[]>(HOST_METHOD.ownRights, { label })

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
