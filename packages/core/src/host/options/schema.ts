// The shapes of the options, and of what is read in a tauri.conf.json. What capabilities and permission files hold is
// checked where it is understood, in core.
import { existsSync } from 'node:fs'
import { FREE_LABEL_RULE, isLabelText, isReservedLabel, LABEL_RULE, MAX_IN_FLIGHT } from '@sallyport/protocol'
import * as v from 'valibot'
import { labelMatcher } from '../../acl/label-glob.js'
import type { CoreDefinition } from '../../api/define.js'
import type { AppInfo, CallLimits } from '../../contract/control.js'
import { integer } from '../../shared/validate.js'
import type { SupervisionOptions } from '../supervision/policy.js'
import type { OnStdio } from '../workers/output.js'
import { workers } from '../workers/spawn.js'
import { fileLocation, isContent, location } from './location.js'
import type {
  ConnectionSettings,
  FrontendSettings,
  NetworkSettings,
  PermissionSettings,
  ProcessSettings,
  SesSettings,
} from './types.js'

// The shape of `calls`: how long calls may take, and how many there may be.

const DEFAULT_SLOW_AFTER = 30_000

const slowAfter = 'whole milliseconds, from 10, or false'

const globs = v.optional(
  v.pipe(
    v.array(v.pipe(v.string('a text'), v.check(isGlob, 'a glob as capabilities have them')), 'a list'),
    v.minLength(1, 'a list that is not empty'),
  ),
)
const rate = v.pipe(
  v.number('calls in a second'),
  v.finite('calls in a second'),
  v.gtValue(0, 'more than 0 calls in a second'),
)
/** @internal */
const quotaEntries: v.ObjectEntries = {
  windows: globs,
  commands: globs,
  rate: v.optional(rate),
  concurrency: v.optional(integer(`a whole number from 1 to ${MAX_IN_FLIGHT}`, 1, MAX_IN_FLIGHT)),
}
const limits = 'an object with a rate, a concurrency, or both'
const quota = v.pipe(
  v.strictObject(quotaEntries, limits),
  v.check(given => given['rate'] !== undefined || given['concurrency'] !== undefined, limits),
)

/** @internal */
const callsEntries: v.ObjectEntries = {
  timeout: v.optional(integer('whole milliseconds, from 1', 1)),
  slowAfter: v.optional(v.union([v.literal(false), integer(slowAfter, 10)], slowAfter), DEFAULT_SLOW_AFTER),
  quotas: v.optional(v.array(quota, 'a list')),
}

/** @internal */
export const calls: v.OptionalSchema<v.GenericSchema<unknown, CallLimits>, object> = v.optional(
  v.strictObject(callsEntries, 'an object') as v.GenericSchema<unknown, CallLimits>,
  {},
)

function isGlob(given: string): boolean {
  try {
    labelMatcher(given)
    return true
  } catch {
    return false
  }
}

// What `createBus` takes of a network.

const networkEntries = { module: location, options: v.optional(v.unknown(), undefined) }

const NETWORK_OPTIONS: readonly string[] = Object.keys(networkEntries)

/** @internal */
const network: v.GenericSchema<unknown, NetworkSettings | undefined> = v.optional(
  v.strictObject(networkEntries, 'an object'),
)

// The shape of `sandbox`: which one a frontend has, and its limits.

const megabytes = v.optional(v.pipe(v.number('megabytes'), v.gtValue(0, 'more than 0 megabytes')))
const read = v.optional(v.array(fileLocation, 'a list'), [])
const memoryLimits = { maxOldGenerationSizeMb: megabytes, maxYoungGenerationSizeMb: megabytes, stackSizeMb: megabytes }
const optionalLimits = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.optional(v.strictObject(entries, 'an object'))
const resourceLimits = optionalLimits({ ...memoryLimits, codeRangeSizeMb: megabytes })
/** What is read in /proc. */
const watched = (what: string) =>
  v.optional(
    v.pipe(
      v.number(what),
      v.gtValue(0, what),
      v.check(() => existsSync('/proc/self/stat'), 'left out: it needs Linux'),
    ),
  )
const permissionEntries = {
  kind: v.literal('permission'),
  read,
  strict: v.optional(v.boolean('true or false'), false),
  resourceLimits,
}
const processEntries = {
  kind: v.literal('process'),
  read,
  resourceLimits: optionalLimits(memoryLimits),
  memory: watched('MiB, more than 0'),
  cpu: watched('a share of one core, more than 0'),
}
const sesEntries = { kind: v.literal('ses'), resourceLimits }
const sandboxSettings = v.variant(
  'kind',
  [v.strictObject(permissionEntries), v.strictObject(processEntries), v.strictObject(sesEntries)],
  '"permission", "process" or "ses"',
) as v.GenericSchema<unknown, PermissionSettings | ProcessSettings | SesSettings>
const namedSandbox = v.pipe(
  v.picklist(['none', 'permission', 'process', 'ses'], '"none", "permission", "process", "ses" or { kind, … }'),
  v.transform(kind => (kind === 'none' ? kind : v.parse(sandboxSettings, { kind }))),
)
const sandbox: v.GenericSchema<unknown, FrontendSettings['sandbox']> = v.optional(
  v.lazy(given => (isContent(given) ? sandboxSettings : namedSandbox)),
  'permission',
)
/** For typing errors. */
const SANDBOX_OPTIONS: readonly string[] = Object.keys({ ...permissionEntries, ...processEntries })

// The shape of `supervision`, wherever it may be given.

const positiveMilliseconds = v.optional(integer('whole milliseconds, from 1', 1))
const beats = 'whole milliseconds, from 50, or false'
const delays = 'whole milliseconds, from 0'

const supervisionEntries: v.ObjectEntries = {
  restart: v.optional(v.picklist(['permanent', 'transient', 'temporary'], '"permanent", "transient" or "temporary"')),
  intensity: v.optional(integer('a whole number, from 0', 0)),
  period: positiveMilliseconds,
  delay: v.optional(
    v.strictObject({ min: v.optional(integer(delays, 0)), max: v.optional(integer(delays, 0)) }, 'an object'),
  ),
  heartbeat: v.optional(v.union([v.literal(false), integer(beats, 50)], beats)),
}

export const supervision = v.optional(v.strictObject(supervisionEntries, 'an object')) as v.OptionalSchema<
  v.GenericSchema<SupervisionOptions>,
  undefined
>

/** Where to look, or what would stand there. */
type Given = URL | string | object

export type CheckedPattern<Dir> =
  | { use: 'brownfield' }
  | { use: 'isolation'; options?: CheckedIsolation<Dir> | undefined }

interface CheckedIsolation<Dir> {
  dir?: Dir | undefined
  envelope?: boolean | undefined
  hookTimeout?: number | undefined
  maxRecordAge?: number | undefined
}

export interface CheckedSecurity<Dir, Entry> {
  pattern?: CheckedPattern<Dir> | undefined
  capabilities?: Entry[] | undefined
}

/** Each member as it was given, or `undefined`. */
type Info = { [Name in keyof AppInfo]?: string | null | undefined }

/** Supervision is still as it was given. */
export interface CheckedFrontend extends Omit<FrontendSettings, 'supervision'> {
  supervision?: SupervisionOptions | undefined
}

/** What of that a process has that has no core. */
export interface CheckedRemoteHost extends Pick<CheckedOptions, 'frontends' | 'calls' | 'supervision' | 'dev'> {
  app?: { security?: { pattern?: CheckedPattern<URL> | undefined } | undefined } | undefined
}

export interface CheckedOptions extends Info {
  core: { module: URL | CoreDefinition; supervision?: SupervisionOptions | undefined }
  frontends?: Record<string, { module: URL } & CheckedFrontend> | undefined
  calls: CallLimits
  supervision?: SupervisionOptions | undefined
  config?: URL | undefined
  app?: { security?: CheckedSecurity<URL, Given> | undefined } | undefined
  permissions?: Given[] | undefined
  unknownPermissions?: 'error' | 'warn' | undefined
  dev: boolean
  plugins?: Record<string, unknown> | undefined
  network?: NetworkSettings | undefined
}

/** The parts of a tauri.conf.json that are a bus's business. */
export interface CheckedConfig extends Info {
  /** Tauri's other spelling. */
  'product-name'?: string | null | undefined
  app?: { security?: CheckedSecurity<string, string | object> | undefined } | undefined
  plugins?: Record<string, unknown> | undefined
}

export const label: v.GenericSchema<string> = v.pipe(
  v.string('a text'),
  v.check(isLabelText, LABEL_RULE),
  v.check(given => !isReservedLabel(given), FREE_LABEL_RULE),
)

const CALLS = `a whole number from 1 to ${MAX_IN_FLIGHT}`
const connectionEntries = {
  codec: v.optional(v.picklist(['json', 'msgpack'], '"json" or "msgpack"'), 'json'),
  link: v.optional(v.picklist(['auto', 'ring', 'port'], '"auto", "ring" or "port"'), 'auto'),
  poll: v.optional(v.boolean('true or false'), true),
  window: v.optional(integer(CALLS, 1, MAX_IN_FLIGHT), MAX_IN_FLIGHT),
  overflow: v.optional(v.picklist(['wait', 'reject'], '"wait" or "reject"'), 'wait'),
  data: v.optional(v.unknown(), undefined),
}
const onStdio = v.optional(v.custom<OnStdio>(given => typeof given === 'function', 'a function'))
const frontendEntries = { ...connectionEntries, sandbox, onStdio, supervision }
export const connectionOptions: v.GenericSchema<unknown, ConnectionSettings> = v.strictObject(connectionEntries)
export const frontendOptions: v.GenericSchema<unknown, CheckedFrontend> = v.strictObject(frontendEntries)
const frontendModule = v.strictObject({ module: location, ...frontendEntries })
const bareModule = v.pipe(
  location,
  v.transform(module => v.parse(frontendModule, { module })),
)
const frontend = v.lazy(given => (isContent(given) ? frontendModule : bareModule))

/** What is in it is checked apart. */
const definition = v.custom<CoreDefinition>(isContent)
const coreModule = v.lazy(given => (isContent(given) ? definition : location))
const coreEntries = { module: coreModule, supervision }
const bareCore = v.pipe(
  coreModule,
  v.transform(module => ({ module })),
)
const core = v.lazy(given => (isContent(given) && 'module' in given ? v.strictObject(coreEntries) : bareCore))

const text = v.nullish(v.string('a string'))
const info = {
  productName: text,
  version: text,
  identifier: v.nullish(
    v.pipe(v.string('a string'), v.regex(/^[\w.-]+$/, 'an identifier of letters, digits, ".", "-" and "_"')),
  ),
}
/** valibot takes lists for objects. */
const table = v.custom<Record<string, unknown>>(isContent, 'an object')
const plugins = v.optional(table)

const getPattern = <Options extends v.GenericSchema>(options: Options) =>
  v.optional(
    v.variant(
      'use',
      [v.strictObject({ use: v.literal('brownfield') }), v.strictObject({ use: v.literal('isolation'), options })],
      // Of the whole, which has no path yet, or of its `use`.
      ({ path }) => (path ? '"brownfield" or "isolation"' : '{ use: "brownfield" } or { use: "isolation", options }'),
    ),
  )
const span = 'whole milliseconds, from 10 to 3600000'
const milliseconds = v.optional(integer(span, 10, 3_600_000))
const hookEntries = {
  envelope: v.optional(v.boolean('true or false')),
  hookTimeout: milliseconds,
  maxRecordAge: milliseconds,
}
const isolationEntries = { dir: v.optional(location), ...hookEntries }

const getList = <Entry extends v.GenericSchema>(entry: Entry) => {
  const content = v.custom<object>(isContent)
  return v.optional(
    v.array(
      v.lazy(given => (isContent(given) ? content : entry)),
      'a list',
    ),
  )
}

const pattern = getPattern(v.optional(v.strictObject(isolationEntries, 'an object')))
const securityEntries = {
  pattern,
  capabilities: getList(
    v.union([fileLocation, v.string()], 'a capability, its identifier, or a file or folder of some'),
  ),
}
const security = v.optional(v.strictObject(securityEntries, 'an object'))
/** Of whoever runs frontends, with core or without it. */
const frontendsEntries = {
  supervision,
  workers,
  frontends: v.optional(v.pipe(table, v.record(label, frontend))),
  log: v.optional(
    v.union([v.literal(false), v.looseObject({ level: v.string(), child: v.function() })], 'a pino logger, or false'),
  ),
  dev: v.optional(v.boolean('true or false'), false),
  onConfirm: v.optional(v.function('a function')),
}
const busEntries = {
  ...frontendsEntries,
  core,
  calls,
  config: v.optional(fileLocation),
  app: v.optional(v.strictObject({ security }, 'an object')),
  ...info,
  permissions: getList(fileLocation),
  unknownPermissions: v.optional(v.picklist(['error', 'warn'], '"error" or "warn"')),
  plugins,
  network,
}
export const busOptions: v.GenericSchema<unknown, CheckedOptions> = v.strictObject(busEntries)

export const remoteHostOptions: v.GenericSchema<unknown, CheckedRemoteHost> = v.strictObject({
  ...frontendsEntries,
  calls,
  app: v.optional(v.strictObject({ security: v.optional(v.strictObject({ pattern }, 'an object')) }, 'an object')),
})

const getParts = <Entries extends v.ObjectEntries>(entries: Entries) => v.pipe(table, v.looseObject(entries))
const securityParts = getParts({
  // Here an isolation app is never left out, as in Tauri: a hook that passes everything is nobody's intent.
  pattern: getPattern(v.strictObject({ dir: v.string('a path'), ...hookEntries }, 'an object')),
  capabilities: getList(v.string('a capability, or the identifier of one')),
})
export const configParts: v.GenericSchema<unknown, CheckedConfig> = getParts({
  ...info,
  'product-name': info.productName,
  app: v.optional(getParts({ security: v.optional(securityParts) })),
  plugins,
})

const getNames = (place: string, entries: object): string[] => Object.keys(entries).map(name => `${place}.${name}`)
/** For typing errors. */
export const OPTION_PLACES: readonly string[] = [
  ...Object.keys(busEntries),
  'core.module',
  ...getNames('supervision', supervisionEntries),
  ...getNames('calls', callsEntries),
  ...getNames('calls.quotas[…]', quotaEntries),
  ...NETWORK_OPTIONS.map(name => `network.${name}`),
  'app.security',
  ...getNames('app.security', securityEntries),
  'app.security.pattern.use',
  'app.security.pattern.options',
  ...getNames('app.security.pattern.options', isolationEntries),
  'frontends.<label>.module',
  ...getNames('frontends.<label>', frontendEntries),
  ...SANDBOX_OPTIONS.map(name => `frontends.<label>.sandbox.${name}`),
]

// The shape of what `bus.inspectServer` takes.

export const inspectorOptions: v.GenericSchema<{ port?: number | undefined }, { port: number }> = v.strictObject(
  { port: v.optional(integer('a port, from 0 to 65535', 0, 65_535), 0) },
  'an object',
)
