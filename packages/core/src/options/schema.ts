// Schemas of the options, with their ranges, defaults and error texts, and the places of all options. Capabilities and permission files are
// checked in core.
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import {
  describeLabelRule,
  FREE_LABEL_RULE,
  isLabelText,
  isReservedLabel,
  isTimeout,
} from '@sallyport/protocol/internal/message'
import { getTypeName } from '@sallyport/protocol/internal/util'
import { MAX_IN_FLIGHT, MAX_SCRIPT_MS, MAX_SOURCE_LENGTH } from '@sallyport/protocol/internal/wire'
import * as v from 'valibot'
import type { AllowList } from '../acl/types.js'
import { createGlobMatcher } from '../acl/identifier.js'
import type { CallQuota, CallsOptions } from '../contract/host-core.js'
import type { CoreDefinition } from '../api/define.js'
import { fileSchema, locationSchema, moduleLocationSchema } from '../shared/locations.js'
import {
  anyObject,
  boolean,
  type EntriesOf,
  inlineOr,
  integer,
  isInline,
  listOptions,
  secret,
  strictOptions,
  string,
  table,
} from '../shared/validate.js'
import { type ClaimContinuation, type ContinuationKey, toContinuationKey } from '../life/continuations/continuations.js'
import { LOG_LEVELS } from '../life/reporting/terminal-log.js'
import { DEFAULT_SANDBOX, RESUME_SANDBOX, RUN_SANDBOX, sandboxSchema } from '../life/sandboxes/kinds.js'
import type { SupervisionOptions } from '../life/policy.js'
import { getList, hookEntries, infoEntries } from './tauri-project/config-schema.js'
import type {
  BusOptions,
  ConnectionOptions,
  FrontendOptions,
  HookOptions,
  IsolationOptions,
  RemoteHostOptions,
  ReportedResumeOptions,
  ReportedRunOptions,
  RunLimits,
} from './types.js'
import type { OnStdio } from '../life/workers/output.js'
import type { WorkerFactory } from '../life/workers/spawn.js'

/** A frontend's module: `url` is only the base of its imports if it has its code as `text`. */
export interface ModuleConfig {
  url: URL
  text?: ModuleText
}

/** Adds a slash at the end, so that names in the directory can be resolved against it. */
export const toDirectoryUrl = ({ href }: URL): URL => new URL(href.endsWith('/') ? href : `${href}/`)

const isFunction = (value: unknown): boolean => typeof value === 'function'
/** Removes a byte order mark, and makes a comment of the line that names an interpreter. Only a file can begin with them. */
const toModuleText = (source: string): string => source.replace(/^\uFEFF/, '').replace(/^#!/, '//')

/** What an import can say: a name as that of a package, or a path without `..` below the name of the importing code. */
const moduleName = v.pipe(
  string,
  v.regex(
    /^(?!\/)(?!(?:.*\/)?\.\.?(?:\/|$))[^\\\p{C}]{1,200}$/u,
    'a name of a module, such as "util.js" or "lib/util.js"',
  ),
)
const modulesTooLong = `at most ${MAX_SOURCE_LENGTH} characters in all`
/** Names that `v.record` would leave out. */
const LEFT_OUT = ['__proto__', 'prototype', 'constructor']
/** @internal */
const modules = v.optional(
  v.pipe(
    v.unknown(),
    v.check(
      codes => !LEFT_OUT.some(name => Object.hasOwn(Object(codes), name)),
      `without the names ${LEFT_OUT.join(', ')}`,
    ),
    v.record(moduleName, string, 'an object'),
    v.check(
      codes => Object.values(codes).reduce((sum, code) => sum + code.length, 0) <= MAX_SOURCE_LENGTH,
      modulesTooLong,
    ),
    v.transform(codes => Object.fromEntries(Object.entries(codes).map(([name, code]) => [name, toModuleText(code)]))),
  ),
)

const nameRule = 'the name of a file, without a directory'
/** @internal */
export const moduleSourceSchema = v.pipe(
  strictOptions({
    source: v.pipe(string, v.maxLength(MAX_SOURCE_LENGTH, `at most ${MAX_SOURCE_LENGTH} characters`)),
    name: v.optional(v.pipe(string, v.regex(/^(?!\.{1,2}$)[^/\\:\p{C}]{1,200}$/u, nameRule)), 'source.js'),
    directory: v.optional(fileSchema),
    modules,
  }),
  v.transform(({ source, name, directory, modules }): ModuleConfig => {
    const path = encodeURIComponent(name)
    const url = directory ? new URL(path, toDirectoryUrl(directory)) : new URL(`source:${path}`)
    return { url, text: { text: toModuleText(source), name, modules } }
  }),
)
const moduleUrl = v.pipe(
  moduleLocationSchema,
  v.transform((url): ModuleConfig => ({ url })),
)
/** @internal */
export const moduleSchema = inlineOr(moduleSourceSchema, moduleUrl)

/** @internal */
export const labelSchema = v.pipe(
  string,
  v.check(isLabelText, ({ input }) => describeLabelRule(input)),
  v.check(value => !isReservedLabel(value), FREE_LABEL_RULE),
)

const milliseconds = v.optional(integer('whole milliseconds, from 1', 1))
const integerOrFalse = (what: string, min: number) => v.union([v.literal(false), integer(what, min)], what)

const glob = v.check(isGlob, 'a glob, as in capabilities')
const globs = v.optional(v.pipe(v.array(v.pipe(string, glob), 'an array'), v.minLength(1, 'a non-empty array')))
const callCount = integer(`a whole number from 1 to ${MAX_IN_FLIGHT}`, 1, MAX_IN_FLIGHT)
const rateUnit = 'calls in a second'
const quotaRule = 'an object with a rate, a concurrency or calls'
const quota = v.pipe(
  v.strictObject(
    {
      labels: globs,
      commands: globs,
      rate: v.optional(v.pipe(v.number(rateUnit), v.finite(rateUnit), v.gtValue(0, `more than 0 ${rateUnit}`))),
      concurrency: v.optional(callCount),
      calls: v.optional(integer('a whole number, from 1', 1)),
    } satisfies EntriesOf<CallQuota>,
    quotaRule,
  ),
  v.check(({ rate, concurrency, calls }) => (rate ?? concurrency ?? calls) !== undefined, quotaRule),
)
/** @internal */
export const callsSchema = v.optional(
  strictOptions({
    timeout: v.optional(integerOrFalse('whole milliseconds, from 1, or false', 1), 30_000),
    commandTimeout: milliseconds,
    slowAfter: v.optional(integerOrFalse('whole milliseconds, from 10, or false', 10), 30_000),
    quotas: v.optional(v.array(quota, 'an array')),
  } satisfies EntriesOf<CallsOptions>),
  {},
)

function isGlob(value: string): boolean {
  try {
    createGlobMatcher(value)
    return true
  } catch {
    return false
  }
}

const delay = v.optional(integer('whole milliseconds, from 0', 0))
/** @internal The defaults are applied by `resolveSupervision`. */
export const supervisionSchema = v.optional(
  strictOptions({
    restart: v.optional(v.picklist(['permanent', 'transient', 'temporary'], '"permanent", "transient" or "temporary"')),
    intensity: v.optional(integer('a whole number, from 0', 0)),
    period: milliseconds,
    delay: v.optional(strictOptions({ min: delay, max: delay })),
    heartbeat: v.optional(integerOrFalse('whole milliseconds, from 50, or false', 50)),
  } satisfies EntriesOf<SupervisionOptions>) as unknown as v.GenericSchema<SupervisionOptions>,
)

const permissionRule = 'the name of a command or permission'
const permissionName = v.pipe(
  v.string(permissionRule),
  v.check(name => name !== '', permissionRule),
)
const scopeValues = v.optional(v.array(v.unknown(), 'an array of values'))
const scopedPermission = strictOptions({ permission: permissionName, allow: scopeValues, deny: scopeValues })
const allow = v.optional(
  v.pipe(
    v.custom<'*' | readonly unknown[]>(value => value === '*' || Array.isArray(value), 'an array, or "*"'),
    v.transform(value => (value === '*' ? [value] : value)),
    v.array(inlineOr(scopedPermission, permissionName), 'an array, or "*"'),
  ),
)
/** The option `allow` of code. */
export const allowSchema: v.GenericSchema<'*' | readonly unknown[] | undefined, AllowList['entries'] | undefined> =
  allow
const connectionEntries = {
  maxInFlight: v.optional(callCount, MAX_IN_FLIGHT),
  overflow: v.optional(v.picklist(['wait', 'reject'], '"wait" or "reject"'), 'wait'),
  allow,
  data: v.optional(v.unknown(), undefined),
} satisfies EntriesOf<ConnectionOptions>
const frontendEntries = {
  ...connectionEntries,
  sandbox: v.optional(sandboxSchema, DEFAULT_SANDBOX),
  onStdio: v.optional(v.custom<OnStdio>(isFunction, 'a function')),
  supervision: supervisionSchema,
  loaded: v.optional(boolean, true),
  loadTimeout: v.optional(integer('whole milliseconds, from 1', 1), 10_000),
} satisfies EntriesOf<FrontendOptions>
const mebibytes = v.pipe(v.number('a number of MiB'), v.gtValue(0, 'more than 0 MiB'))
const timeoutRule = 'milliseconds, more than 0 and at most 2147483647, or false for none'
/** @internal The options of `bus.run`. */
export const runSchema = strictOptions({
  ...{ label: v.optional(labelSchema), quotaLabel: v.optional(labelSchema) },
  args: v.optional(anyObject, {}),
  directory: v.optional(fileSchema),
  modules,
  language: v.optional(v.picklist(['javascript', 'typescript'], '"javascript" or "typescript"'), 'javascript'),
  ...{ allow, data: v.optional(v.unknown(), undefined) },
  onStdio: frontendEntries.onStdio,
  functions: v.optional(anyObject),
  limits: v.optional(
    strictOptions({
      calls: v.optional(integer('a whole number from 0', 0)),
      resultBytes: v.optional(integer('whole bytes, from 1', 1)),
      consoleBytes: v.optional(integer('whole bytes, from 0', 0)),
      memory: v.optional(mebibytes),
      time: v.optional(integer(`whole milliseconds, from 1 to ${MAX_SCRIPT_MS}`, 1, MAX_SCRIPT_MS)),
    } satisfies EntriesOf<RunLimits>),
    {},
  ),
  // After the limits, whose `memory` and `time` a hint names first.
  sandbox: v.optional(sandboxSchema, RUN_SANDBOX),
  report: v.optional(boolean, false),
  timeout: v.optional(v.custom<number | false>(value => value === false || isTimeout(value), timeoutRule)),
  signal: v.optional(v.custom<AbortSignal>(value => getTypeName(value) === 'AbortSignal', 'an AbortSignal')),
} satisfies EntriesOf<ReportedRunOptions>)
const { args: _args, data: _data, directory: _directory, ...resumeEntries } = runSchema.entries
/** @internal The options of `bus.resume`. */
export const resumeSchema = strictOptions({
  ...resumeEntries,
  sandbox: v.optional(sandboxSchema, RESUME_SANDBOX),
  source: v.optional(string),
} satisfies EntriesOf<ReportedResumeOptions>)
/** @internal */
export const connectionSchema = strictOptions(connectionEntries)
/** @internal */
export const frontendSchema = strictOptions(frontendEntries)
const frontendModule = v.strictObject({ module: moduleSchema, ...frontendEntries })
const bareModule = v.pipe(
  moduleLocationSchema,
  v.transform(module => v.parse(frontendModule, { module })),
)

/** The content of a definition is checked separately. */
const coreModule = inlineOr(v.custom<CoreDefinition>(isInline), locationSchema)
const coreObject = v.strictObject({ module: coreModule, supervision: supervisionSchema })
const bareCore = v.pipe(
  coreModule,
  v.transform(module => v.parse(coreObject, { module })),
)
const core = v.lazy(value => (isInline(value) && 'module' in value ? coreObject : bareCore))

const isolationEntries = { dir: v.optional(locationSchema), ...hookEntries } satisfies EntriesOf<IsolationOptions>
const isolation = v.strictObject(
  isolationEntries,
  'an object, such as { dir: new URL("./dist-isolation/", import.meta.url) }',
)
/** @internal */
export const isolationDefaults = v.getDefaults(isolation)

const { gates: _gates, ...ownHookEntries } = hookEntries
/** @internal Settings of `runHook`, whose gate has no other beside it. */
export const hookSchema = strictOptions({
  ...ownHookEntries,
  onConfirm: v.optional(v.function('a function')),
} satisfies EntriesOf<HookOptions>)

const capability = v.union(
  [fileSchema, v.string()],
  'a capability, its identifier, or a file or directory of capabilities',
)

const factory = v.optional(v.custom<WorkerFactory>(isFunction, 'a function'))
/** Options of a host, with core or without it. */
const hostEntries = {
  codec: v.optional(v.picklist(['json', 'msgpack'], '"json" or "msgpack"'), 'json'),
  supervision: supervisionSchema,
  workers: v.optional(strictOptions({ core: factory, frontend: factory, gate: factory })),
  frontends: v.optional(v.pipe(table, v.record(labelSchema, inlineOr(frontendModule, bareModule)))),
  log: v.optional(
    v.union(
      [v.literal(false), v.picklist(LOG_LEVELS), v.looseObject({ level: v.string(), child: v.function() })],
      'a pino logger, a level such as "info", or false',
    ),
  ),
  dev: v.optional(boolean, false),
  onConfirm: v.optional(v.function('a function')),
  calls: callsSchema,
  isolation: v.optional(isolation),
} satisfies EntriesOf<RemoteHostOptions>
const continuationKey = v.pipe(
  v.custom<ContinuationKey>(key => toContinuationKey(key) !== undefined, 'a secret key of 32 bytes'),
  v.transform(key => toContinuationKey(key)),
)
const runs = v.optional(
  secret(
    strictOptions({
      key: v.optional(continuationKey),
      claim: v.optional(v.custom<ClaimContinuation>(isFunction, 'a function')),
    }),
  ),
  {},
)
/** @internal */
export const busSchema = strictOptions({
  ...hostEntries,
  core,
  startTimeout: milliseconds,
  runs,
  inspect: v.optional(boolean),
  config: v.optional(inlineOr(strictOptions(infoEntries), fileSchema)),
  resources: v.optional(fileSchema),
  capabilities: getList(capability),
  permissions: getList(fileSchema),
  network: v.optional(strictOptions({ module: locationSchema, options: v.optional(v.unknown(), undefined) })),
} satisfies EntriesOf<BusOptions>)
/** @internal */
export type ParsedFrontend = v.InferOutput<typeof frontendSchema>
export type ParsedOptions = v.InferOutput<typeof busSchema>
/** @internal */
export const remoteHostSchema = strictOptions(hostEntries)
/** `setTimeout` takes at most 2 ** 31 - 1 ms; the rest is for the time in which a thread is terminated. */
const MAX_CLOSE_TIMEOUT_MS = 2 ** 31 - 20_000
const closeRule = `milliseconds from 0 to ${MAX_CLOSE_TIMEOUT_MS}`
/** @internal Options of `close` and `closeFrontend`. */
export const closeSchema = strictOptions({
  timeout: v.optional(
    v.pipe(v.number(closeRule), v.minValue(0, closeRule), v.maxValue(MAX_CLOSE_TIMEOUT_MS, closeRule)),
  ),
})
/** @internal URLs that run code in the page have no place in it. */
const EDITOR_URL = /^(?!javascript:|data:|vbscript:|blob:)[a-z][a-z\d+.-]*:\S*\{file\}\S*$/i
const editorRule = 'a URL with {file}, such as "vscode://file{file}:{line}:{column}"'
/** @internal Options of `bus.openInspector`. */
export const inspectorSchema = strictOptions({
  port: v.optional(integer('a port, from 0 to 65535', 0, 65_535), 0),
  editor: v.optional(
    v.pipe(string, v.regex(EDITOR_URL, editorRule)),
    () => process.env['SALLYPORT_EDITOR'] || 'vscode://file{file}:{line}:{column}',
  ),
})

const getDepth = (place: string): number => place.split('.').length

/** Returns the places of all options, outer places first. */
export const getOptionPlaces = (): readonly string[] =>
  [...new Set(listOptions(busSchema))].toSorted((a, b) => getDepth(a) - getDepth(b))

/** Returns the places of the options of `bus.run`, and of those that it does not have. */
export const getRunPlaces = (): readonly string[] => [...listOptions(runSchema), ...getOptionPlaces()]

/** Returns the places of the options of `bus.resume`, and of those that it does not have. */
export const getResumePlaces = (): readonly string[] => [...listOptions(resumeSchema), ...getOptionPlaces()]
