// The shapes of the options, and of what is read in a tauri.conf.json. What capabilities and permission files hold is
// checked where it is understood, in core.
import { FREE_LABEL_RULE, isLabelText, isReservedLabel, LABEL_RULE, MAX_IN_FLIGHT } from '@sallyport/protocol'
import * as v from 'valibot'
import type { AppInfo, CallLimits } from '../control.js'
import type { CoreDefinition } from '../define.js'
import { calls, ofCalls, ofQuota } from './calls-schema.js'
import { fileLocation, isContent, location } from './location.js'
import { NETWORK_OPTIONS, network } from './network-options.js'
import { type NetworkSettings } from './options.js'
import type { ConnectionSettings, FrontendSettings } from './options.js'
import type { OnStdio } from './captured.js'
import { SANDBOX_OPTIONS, sandbox } from './sandbox-schema.js'
import { ofSupervision, supervision } from './supervision-schema.js'
import type { SupervisionOptions } from './supervision.js'
import { whole } from './whole.js'
import { workers } from './worker-makers.js'

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
export interface CheckedSatellite extends Pick<CheckedOptions, 'frontends' | 'calls' | 'supervision' | 'dev'> {
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
const ofConnection = {
  codec: v.optional(v.picklist(['json', 'msgpack'], '"json" or "msgpack"'), 'json'),
  link: v.optional(v.picklist(['auto', 'ring', 'port'], '"auto", "ring" or "port"'), 'auto'),
  poll: v.optional(v.boolean('true or false'), true),
  window: v.optional(whole(CALLS, 1, MAX_IN_FLIGHT), MAX_IN_FLIGHT),
  overflow: v.optional(v.picklist(['wait', 'reject'], '"wait" or "reject"'), 'wait'),
  data: v.optional(v.unknown(), undefined),
}
const onStdio = v.optional(v.custom<OnStdio>(given => typeof given === 'function', 'a function'))
const ofFrontend = { ...ofConnection, sandbox, onStdio, supervision }
export const connectionOptions: v.GenericSchema<unknown, ConnectionSettings> = v.strictObject(ofConnection)
export const frontendOptions: v.GenericSchema<unknown, CheckedFrontend> = v.strictObject(ofFrontend)
const frontendModule = v.strictObject({ module: location, ...ofFrontend })
const bareModule = v.pipe(
  location,
  v.transform(module => v.parse(frontendModule, { module })),
)
const frontend = v.lazy(given => (isContent(given) ? frontendModule : bareModule))

/** What is in it is checked apart. */
const definition = v.custom<CoreDefinition>(isContent)
const coreModule = v.lazy(given => (isContent(given) ? definition : location))
const ofCore = { module: coreModule, supervision }
const bareCore = v.pipe(
  coreModule,
  v.transform(module => ({ module })),
)
const core = v.lazy(given => (isContent(given) && 'module' in given ? v.strictObject(ofCore) : bareCore))

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

const patternOf = <Options extends v.GenericSchema>(options: Options) =>
  v.optional(
    v.variant(
      'use',
      [v.strictObject({ use: v.literal('brownfield') }), v.strictObject({ use: v.literal('isolation'), options })],
      // Of the whole, which has no path yet, or of its `use`.
      ({ path }) => (path ? '"brownfield" or "isolation"' : '{ use: "brownfield" } or { use: "isolation", options }'),
    ),
  )
const span = 'whole milliseconds, from 10 to 3600000'
const milliseconds = v.optional(whole(span, 10, 3_600_000))
const ofHook = {
  envelope: v.optional(v.boolean('true or false')),
  hookTimeout: milliseconds,
  maxRecordAge: milliseconds,
}
const ofIsolation = { dir: v.optional(location), ...ofHook }

const listOf = <Entry extends v.GenericSchema>(entry: Entry) => {
  const content = v.custom<object>(isContent)
  return v.optional(
    v.array(
      v.lazy(given => (isContent(given) ? content : entry)),
      'a list',
    ),
  )
}

const pattern = patternOf(v.optional(v.strictObject(ofIsolation, 'an object')))
const ofSecurity = {
  pattern,
  capabilities: listOf(
    v.union([fileLocation, v.string()], 'a capability, its identifier, or a file or folder of some'),
  ),
}
const security = v.optional(v.strictObject(ofSecurity, 'an object'))
/** Of whoever runs frontends, with core or without it. */
const ofFrontends = {
  supervision,
  workers,
  frontends: v.optional(v.pipe(table, v.record(label, frontend))),
  log: v.optional(
    v.union([v.literal(false), v.looseObject({ level: v.string(), child: v.function() })], 'a pino logger, or false'),
  ),
  dev: v.optional(v.boolean('true or false'), false),
  onConfirm: v.optional(v.function('a function')),
}
const ofBus = {
  ...ofFrontends,
  core,
  calls,
  config: v.optional(fileLocation),
  app: v.optional(v.strictObject({ security }, 'an object')),
  ...info,
  permissions: listOf(fileLocation),
  unknownPermissions: v.optional(v.picklist(['error', 'warn'], '"error" or "warn"')),
  plugins,
  network,
}
export const busOptions: v.GenericSchema<unknown, CheckedOptions> = v.strictObject(ofBus)

export const satelliteOptions: v.GenericSchema<unknown, CheckedSatellite> = v.strictObject({
  ...ofFrontends,
  calls,
  app: v.optional(v.strictObject({ security: v.optional(v.strictObject({ pattern }, 'an object')) }, 'an object')),
})

const partsOf = <Entries extends v.ObjectEntries>(entries: Entries) => v.pipe(table, v.looseObject(entries))
const securityParts = partsOf({
  // Here an isolation app is never left out, as in Tauri: a hook that passes everything is nobody's intent.
  pattern: patternOf(v.strictObject({ dir: v.string('a path'), ...ofHook }, 'an object')),
  capabilities: listOf(v.string('a capability, or the identifier of one')),
})
export const configParts: v.GenericSchema<unknown, CheckedConfig> = partsOf({
  ...info,
  'product-name': info.productName,
  app: v.optional(partsOf({ security: v.optional(securityParts) })),
  plugins,
})

const namesOf = (place: string, entries: object): string[] => Object.keys(entries).map(name => `${place}.${name}`)
/** For typing errors. */
export const OPTION_PLACES: readonly string[] = [
  ...Object.keys(ofBus),
  'core.module',
  ...namesOf('supervision', ofSupervision),
  ...namesOf('calls', ofCalls),
  ...namesOf('calls.quotas[…]', ofQuota),
  ...NETWORK_OPTIONS.map(name => `network.${name}`),
  'app.security',
  ...namesOf('app.security', ofSecurity),
  'app.security.pattern.use',
  'app.security.pattern.options',
  ...namesOf('app.security.pattern.options', ofIsolation),
  'frontends.<label>.module',
  ...namesOf('frontends.<label>', ofFrontend),
  ...SANDBOX_OPTIONS.map(name => `frontends.<label>.sandbox.${name}`),
]
