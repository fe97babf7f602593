// Schemas of the options, and of the parts of a tauri.conf.json that a bus reads, with their ranges, defaults and error texts.
// Capabilities and permission files are checked in core.
import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  CHANNEL_READ_AHEAD,
  FREE_LABEL_RULE,
  isLabelText,
  isReservedLabel,
  LABEL_RULE,
  MAX_IN_FLIGHT,
  type ModuleText,
} from '@sallyport/protocol/internal'
import * as v from 'valibot'
import { createGlobMatcher } from '../../acl/label-glob.js'
import type { CoreDefinition } from '../../api/define.js'
import type { Launcher } from '../../launchers/launcher.js'
import { anyObject, integer, isObject } from '../../shared/validate.js'
import { LOG_LEVELS } from '../reporting/log.js'
import type { SupervisionOptions } from '../supervision/policy.js'
import type { OnStdio } from '../workers/output.js'
import type { WorkerFactory } from '../workers/spawn.js'

// Locations of modules, files and directories. Relative paths are refused: it is unknown what they would be relative to.

/** A module, file or directory: a URL, or an absolute path. */
export type ModuleLocation = URL | string

const HAS_SCHEME = /^[a-z][a-z0-9+.-]+:/i

export const toUrl = (location: ModuleLocation): URL => {
  if (location instanceof URL) return location
  return HAS_SCHEME.test(location) ? new URL(location) : pathToFileURL(location)
}

/** @internal */
export const locationSchema = v.pipe(
  v.custom<ModuleLocation>(isLocation, ({ input }) => `a URL or an absolute path${suggestUrl(input)}`),
  v.transform(toUrl),
)

/** For what the host itself reads. */
const fileSchema = v.pipe(
  v.custom<ModuleLocation>(isFileLocation, 'a file: URL or an absolute path'),
  v.transform(toUrl),
)

function isLocation(value: unknown): boolean {
  if (typeof value !== 'string') return value instanceof URL
  return HAS_SCHEME.test(value) ? URL.canParse(value) : isAbsolute(value)
}

/** Returns false for a string that might be a name. */
export function isFileLocation(value: unknown): value is ModuleLocation {
  if (value instanceof URL) return value.protocol === 'file:'
  return typeof value === 'string' && (isAbsolute(value) || (value.startsWith('file:') && URL.canParse(value)))
}

/** Returns how a relative path is written as a URL. */
function suggestUrl(value: unknown): string {
  if (typeof value !== 'string' || !/^\.{0,2}[/\w]/.test(value) || HAS_SCHEME.test(value)) return ''
  return `, as in new URL(${JSON.stringify(value)}, import.meta.url)`
}

/** UTF-16 code units of code as text, which is copied several times until it is in its sandbox. */
const MAX_SOURCE_LENGTH = 16 * 2 ** 20

/** A frontend's module: `url` is only the base of its imports if it has its code as `text`. */
export interface ModuleConfig {
  url: URL
  text?: ModuleText
}

/** Adds a slash at the end, so that names in the directory can be resolved against it. */
export const toDirectoryUrl = ({ href }: URL): URL => new URL(href.endsWith('/') ? href : `${href}/`)

/** True for an object in the place of its location. */
const isInline = (value: unknown): value is object => isObject(value) && !(value instanceof URL)

const isFunction = (value: unknown): boolean => typeof value === 'function'
const boolean = v.boolean('true or false')
const string = v.string('a string')
const options = <Entries extends v.ObjectEntries>(entries: Entries) => v.strictObject(entries, 'an object')
/** An object with any keys, but not an array, which valibot accepts as an object. */
const table = v.custom<Record<string, unknown>>(isInline, 'an object')

/** Chooses the schema by the value, so that an error names what is wrong in the intended form. */
const inlineOr = <Inline extends v.GenericSchema, Other extends v.GenericSchema>(inline: Inline, other: Other) =>
  v.lazy(value => (isInline(value) ? inline : other)) as v.LazySchema<Inline | Other>

/** Removes a byte order mark, and makes a comment of the line that names an interpreter. Only a file can begin with them. */
const toModuleText = (source: string): string => source.replace(/^\uFEFF/, '').replace(/^#!/, '//')

const nameRule = 'the name of a file, without a directory'
/** @internal */
export const moduleSourceSchema = v.pipe(
  options({
    source: v.pipe(string, v.maxLength(MAX_SOURCE_LENGTH, `at most ${MAX_SOURCE_LENGTH} characters`)),
    name: v.optional(v.pipe(string, v.regex(/^(?!\.{1,2}$)[^/\\:\p{C}]{1,200}$/u, nameRule)), 'source.js'),
    directory: v.optional(fileSchema),
  }),
  v.transform(({ source, name, directory }): ModuleConfig => {
    const path = encodeURIComponent(name)
    const url = directory ? new URL(path, toDirectoryUrl(directory)) : new URL(`source:${path}`)
    return { url, text: { text: toModuleText(source), name } }
  }),
)
const moduleUrl = v.pipe(
  locationSchema,
  v.transform((url): ModuleConfig => ({ url })),
)
/** @internal */
export const moduleSchema = inlineOr(moduleSourceSchema, moduleUrl)

/** @internal */
export const labelSchema = v.pipe(
  string,
  v.check(isLabelText, LABEL_RULE),
  v.check(value => !isReservedLabel(value), FREE_LABEL_RULE),
)

const milliseconds = v.optional(integer('whole milliseconds, from 1', 1))
const loadTimeout = v.optional(integer('whole milliseconds, from 1', 1), 10_000)
const integerOrFalse = (what: string, min: number) => v.union([v.literal(false), integer(what, min)], what)

const glob = v.check(isGlob, 'a glob, as in capabilities')
const globs = v.optional(v.pipe(v.array(v.pipe(string, glob), 'an array'), v.minLength(1, 'a non-empty array')))
const callCount = integer(`a whole number from 1 to ${MAX_IN_FLIGHT}`, 1, MAX_IN_FLIGHT)
const rateUnit = 'calls in a second'
const quotaRule = 'an object with a rate, a concurrency, or both'
const quota = v.pipe(
  v.strictObject(
    {
      labels: globs,
      commands: globs,
      rate: v.optional(v.pipe(v.number(rateUnit), v.finite(rateUnit), v.gtValue(0, `more than 0 ${rateUnit}`))),
      concurrency: v.optional(callCount),
    },
    quotaRule,
  ),
  v.check(({ rate, concurrency }) => rate !== undefined || concurrency !== undefined, quotaRule),
)
/** @internal */
export const callsSchema = v.optional(
  options({
    timeout: v.optional(integerOrFalse('whole milliseconds, from 1, or false', 1), 30_000),
    commandTimeout: milliseconds,
    slowAfter: v.optional(integerOrFalse('whole milliseconds, from 10, or false', 10), 30_000),
    quotas: v.optional(v.array(quota, 'an array')),
  }),
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

const megabytes = v.optional(v.pipe(v.number('megabytes'), v.gtValue(0, 'more than 0 megabytes')))
const memoryEntries = { maxOldGenerationSizeMb: megabytes, maxYoungGenerationSizeMb: megabytes, stackSizeMb: megabytes }
const resourceLimits = v.optional(options({ ...memoryEntries, codeRangeSizeMb: megabytes }))
const net = v.optional(boolean)
const read = v.optional(v.array(fileSchema, 'an array'), [])
/** Limits that are watched in /proc. */
const watched = (limit: v.GenericSchema<number>) =>
  v.optional(
    v.pipe(
      limit,
      v.check(() => existsSync('/proc/self/stat'), 'left out: it needs Linux'),
    ),
  )
const positive = (what: string) => v.pipe(v.number(what), v.gtValue(0, what))
const isLauncher = (value: unknown): boolean => {
  const { name, launch } = Object(value) as Record<string, unknown>
  return typeof name === 'string' && name !== '' && isFunction(launch)
}
const wallRule = '"auto", "required", "none" or a launcher, such as bubblewrap()'
const wall = v.optional(
  v.union([v.picklist(['auto', 'required', 'none']), v.custom<Launcher>(isLauncher)], wallRule),
  'auto',
)
const processEntries = {
  resourceLimits: v.optional(options(memoryEntries)),
  memory: watched(positive('MiB, more than 0')),
  cpu: watched(positive('a share of one core, more than 0')),
  pids: watched(integer('a whole number of processes and threads, from 1', 1)),
  wall,
}
const leftOut = (why: string) => v.optional(v.never(`left out: ${why}`))
const needsProcess = leftOut('it needs process: true')
const sandboxObject = v.variant(
  'kind',
  [
    v.strictObject({ kind: v.literal('permission'), read, net, strict: v.optional(boolean, false), resourceLimits }),
    v.strictObject({
      kind: v.literal('process'),
      read,
      net,
      tmp: v.optional(v.pipe(v.number('MiB'), v.gtValue(0, 'more than 0 MiB'))),
      ...processEntries,
    }),
    v.variant('process', [
      v.strictObject({
        kind: v.literal('ses'),
        process: v.literal(true),
        group: leftOut('scripts of a group share a thread of the host, and this one has a process'),
        ...processEntries,
      }),
      v.strictObject({
        kind: v.literal('ses'),
        process: v.optional(v.literal(false)),
        group: v.optional(
          v.pipe(
            v.string('a name'),
            v.check(name => name !== '', 'a name'),
          ),
        ),
        resourceLimits,
        ...{ memory: needsProcess, cpu: needsProcess, pids: needsProcess, wall: needsProcess },
      }),
    ]),
  ],
  // The outer message is also that of the inner variant.
  ({ path }) => (path?.at(-1)?.key === 'process' ? 'true or false' : '"permission", "process" or "ses"'),
)
const sandboxName = v.pipe(
  v.picklist(['none', 'permission', 'process', 'ses'], '"none", "permission", "process", "ses" or { kind, … }'),
  v.transform(kind => (kind === 'none' ? { kind } : v.parse(sandboxObject, { kind }))),
)
const sandbox = inlineOr(sandboxObject, sandboxName)

const delay = v.optional(integer('whole milliseconds, from 0', 0))
/** @internal The defaults are applied by `resolveSupervision`. */
export const supervisionSchema = v.optional(
  options({
    restart: v.optional(v.picklist(['permanent', 'transient', 'temporary'], '"permanent", "transient" or "temporary"')),
    intensity: v.optional(integer('a whole number, from 0', 0)),
    period: milliseconds,
    chargedIntensity: v.optional(integer('a whole number, from 0', 0)),
    delay: v.optional(options({ min: delay, max: delay })),
    heartbeat: v.optional(integerOrFalse('whole milliseconds, from 50, or false', 50)),
  }) as unknown as v.GenericSchema<SupervisionOptions>,
)

const codec = v.picklist(['json', 'msgpack'], '"json" or "msgpack"')
const permissionRule = 'the name of a command or permission'
const permissionName = v.pipe(
  v.string(permissionRule),
  v.check(name => name !== '', permissionRule),
)
const scopeValues = v.optional(v.array(v.unknown(), 'an array of values'))
const scopedPermission = options({ permission: permissionName, allow: scopeValues, deny: scopeValues })
const allow = v.optional(
  v.pipe(
    v.custom<'*' | readonly unknown[]>(value => value === '*' || Array.isArray(value), 'an array, or "*"'),
    v.transform(value => (value === '*' ? [value] : value)),
    v.array(inlineOr(scopedPermission, permissionName), 'an array, or "*"'),
  ),
)
const connectionEntries = {
  codec: v.optional(codec),
  link: v.optional(v.picklist(['auto', 'ring', 'port'], '"auto", "ring" or "port"'), 'auto'),
  poll: v.optional(boolean, true),
  maxInFlight: v.optional(callCount, MAX_IN_FLIGHT),
  overflow: v.optional(v.picklist(['wait', 'reject'], '"wait" or "reject"'), 'wait'),
  readAhead: v.optional(integer('whole bytes, from 1', 1), CHANNEL_READ_AHEAD),
  allow,
  data: v.optional(v.unknown(), undefined),
}
const frontendEntries = {
  ...connectionEntries,
  sandbox: v.optional(sandbox, 'permission'),
  onStdio: v.optional(v.custom<OnStdio>(isFunction, 'a function')),
  supervision: supervisionSchema,
  loaded: v.optional(boolean, true),
  loadTimeout,
}
/** @internal The options of `bus.run`. */
export const runSchema = options({
  label: v.optional(labelSchema),
  args: v.optional(anyObject, {}),
  directory: v.optional(fileSchema),
  ...{ allow, codec: v.optional(codec), data: v.optional(v.unknown(), undefined) },
  ...{ onStdio: frontendEntries.onStdio, sandbox: v.optional(sandbox, 'ses') },
  memory: v.optional(v.pipe(v.number('MiB'), v.gtValue(0, 'more than 0 MiB'))),
  // Checked as those of a call.
  ...{ timeout: v.optional(v.unknown()), signal: v.optional(v.unknown()) },
})
/** @internal */
export const connectionSchema = options(connectionEntries)
/** @internal */
export const frontendSchema = options(frontendEntries)
const frontendModule = v.strictObject({ module: moduleSchema, ...frontendEntries })
const bareModule = v.pipe(
  locationSchema,
  v.transform(module => v.parse(frontendModule, { module })),
)

/** The content of a definition is checked separately. */
const coreModule = inlineOr(v.custom<CoreDefinition>(isInline), locationSchema)
const coreObject = v.strictObject({ module: coreModule, supervision: supervisionSchema, loadTimeout })
const bareCore = v.pipe(
  coreModule,
  v.transform(module => v.parse(coreObject, { module })),
)
const core = v.lazy(value => (isInline(value) && 'module' in value ? coreObject : bareCore))

/** More gates than cores are of no use. */
const MAX_GATES = 64
const gatesText = `"each" or a whole number, from 1 to ${MAX_GATES}`
const hookEntries = {
  gates: v.optional(v.union([v.literal('each'), integer(gatesText, 1, MAX_GATES)], gatesText), 'each'),
  legacyMessages: v.optional(boolean, false),
  hookTimeout: v.optional(integer('whole milliseconds, from 10 to 3600000', 10, 3_600_000), 1000),
  maxRecordAge: v.optional(v.never('left out: a record goes straight from the gate to core, and has no age')),
}
const isolation = options({ dir: v.optional(locationSchema), ...hookEntries })
/** @internal */
export type ParsedIsolation = v.InferOutput<typeof isolation>
/** @internal */
export const isolationDefaults = v.getDefaults(isolation)

const getPattern = <Isolation extends v.GenericSchema>(isolationOptions: Isolation) =>
  v.optional(
    v.variant(
      'use',
      [
        v.strictObject({ use: v.literal('brownfield') }),
        v.strictObject({ use: v.literal('isolation'), options: isolationOptions }),
      ],
      // The issue has a path only if an object was given.
      ({ path }) => (path ? '"brownfield" or "isolation"' : '{ use: "brownfield" } or { use: "isolation", options }'),
    ),
  )
const pattern = getPattern(v.optional(isolation, {}))
/** @internal */
export type ParsedPattern = v.InferOutput<typeof pattern>
const getList = <Entry extends v.GenericSchema>(entry: Entry) =>
  v.optional(v.array(inlineOr(v.custom<object>(isInline), entry), 'an array'))
const capability = v.union(
  [fileSchema, v.string()],
  'a capability, its identifier, or a file or directory of capabilities',
)

const nullableString = v.nullish(string)
const identifierRule = 'an identifier of letters, digits, ".", "-" and "_"'
const infoEntries = {
  productName: nullableString,
  version: nullableString,
  identifier: v.nullish(v.pipe(string, v.regex(/^[\w.-]+$/, identifierRule))),
}
const factory = v.optional(v.custom<WorkerFactory>(isFunction, 'a function'))
/** Options of a host, with core or without it. */
const hostEntries = {
  codec: v.optional(codec, 'json'),
  supervision: supervisionSchema,
  workers: v.optional(options({ core: factory, frontend: factory, gate: factory })),
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
}
const capabilities = getList(capability)
/** @internal */
export const busSchema = options({
  ...hostEntries,
  core,
  startTimeout: milliseconds,
  inspect: v.optional(boolean),
  config: v.optional(fileSchema),
  resources: v.optional(fileSchema),
  capabilities,
  app: v.optional(options({ security: v.optional(options({ pattern, capabilities })) })),
  ...infoEntries,
  permissions: getList(fileSchema),
  unknownPermissions: v.optional(v.picklist(['error', 'warn'], '"error" or "warn"')),
  pluginOptions: v.optional(table),
  network: v.optional(options({ module: locationSchema, options: v.optional(v.unknown(), undefined) })),
})
/** @internal */
export type ParsedOptions = v.InferOutput<typeof busSchema>
/** @internal */
export const remoteHostSchema = options({
  ...hostEntries,
  app: v.optional(options({ security: v.optional(options({ pattern })) })),
})
/** @internal Options of `bus.openInspector`. */
export const inspectorSchema = options({ port: v.optional(integer('a port, from 0 to 65535', 0, 65_535), 0) })

/** The scope of the asset protocol, as in a configuration. */
export interface AssetScope {
  readonly allow?: readonly string[] | undefined
  readonly deny?: readonly string[] | undefined
  readonly requireLiteralLeadingDot?: boolean | null | undefined
  readonly 'require-literal-leading-dot'?: boolean | null | undefined
}

const section = <Entries extends v.ObjectEntries>(entries: Entries) => v.pipe(table, v.looseObject(entries))
const strings = v.array(string, 'an array')
const cspSchema = v.nullish(
  inlineOr(v.record(v.string(), v.union([string, strings], 'a string, or an array of strings')), string),
)
const pathScope = v.lazy(value =>
  Array.isArray(value)
    ? strings
    : section({
        allow: v.optional(strings),
        deny: v.optional(strings),
        requireLiteralLeadingDot: v.nullish(boolean),
        'require-literal-leading-dot': v.nullish(boolean),
      }),
) as v.GenericSchema<readonly string[] | AssetScope>
const assetProtocol = v.optional(section({ enable: v.optional(boolean, false), scope: v.optional(pathScope) }))
const keptDirectives = v.optional(v.union([boolean, strings], 'true, false or an array of directives'))
/** Keys in kebab case are Tauri's other spelling. */
const configSecurityEntries = {
  csp: cspSchema,
  devCsp: cspSchema,
  'dev-csp': cspSchema,
  dangerousDisableAssetCspModification: keptDirectives,
  'dangerous-disable-asset-csp-modification': keptDirectives,
  assetProtocol,
  'asset-protocol': assetProtocol,
  // The isolation app is required, as in Tauri: without it the hook would pass every message, which cannot be the intent.
  pattern: getPattern(options({ dir: v.string('a path'), ...hookEntries })),
  capabilities: getList(v.string('a capability, or the identifier of one')),
}
const configAppEntries = {
  security: v.optional(section(configSecurityEntries)),
  withGlobalTauri: v.optional(boolean),
  'with-global-tauri': v.optional(boolean),
}
const configEntries = {
  ...infoEntries,
  /** Tauri's other spelling of `productName`. */
  'product-name': nullableString,
  app: v.optional(section(configAppEntries)),
  plugins: v.optional(table),
}
/** @internal A tauri.conf.json: other keys are ignored. */
export const configSchema = section(configEntries)
/** @internal */
export type ParsedApp = v.InferOutput<typeof configSchema>['app']
/** The keys that are read in a tauri.conf.json, by place. */
export const CONFIG_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(configEntries),
  app: Object.keys(configAppEntries),
  'app.security': Object.keys(configSecurityEntries),
}

/** The parts of valibot's schemas that hold others. */
interface Schema {
  type: string
  getter?(value: unknown): Schema
  wrapped?: Schema
  item?: Schema
  value?: Schema
  options?: readonly Schema[]
  entries?: Readonly<Record<string, Schema>>
  pipe?: readonly (Schema & { kind: string })[]
}

/** Lists the options in a schema with their places, such as `frontends.<label>.codec`. */
function listOptions(schema: Schema, place: string): string[] {
  const { type, getter, wrapped, item, value, options: variants = [], entries = {}, pipe = [] } = schema
  const inPlace = [...(wrapped ? [wrapped] : []), ...(Array.isArray(variants) ? variants : []), ...pipe.slice(1)]
  // A lazy schema chooses the form of an object for an object.
  if (getter) inPlace.push(getter({ module: undefined }))
  const found = inPlace.filter(each => typeof each === 'object').flatMap(each => listOptions(each, place))
  if (item) found.push(...listOptions(item, `${place}[…]`))
  if (type === 'record') found.push(...listOptions(value!, `${place}.<label>`))
  for (const [name, entry] of type === 'strict_object' ? Object.entries(entries) : []) {
    const at = place === '' ? name : `${place}.${name}`
    found.push(at, ...listOptions(entry, at))
  }
  return found
}

const getDepth = (place: string): number => place.split('.').length
/** The places of all options, for hints at misspelt and misplaced ones: outer places first. */
export const OPTION_PLACES: readonly string[] = [...new Set(listOptions(busSchema as unknown as Schema, ''))].toSorted(
  (a, b) => getDepth(a) - getDepth(b),
)
/** The places of the options of `bus.run`, and of those that it does not have. */
export const RUN_PLACES: readonly string[] = [...listOptions(runSchema as unknown as Schema, ''), ...OPTION_PLACES]
