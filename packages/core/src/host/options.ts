// What `createBus` takes, checked before anything starts: a wrong option is named, with the nearest right one.
import { BusError, type CodecName, type LinkKind } from '@sallyport/protocol'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as v from 'valibot'
import type { Capability, Pattern } from '../authority/capability.js'
import type { AppInfo } from '../control.js'
import { didYouMean } from '../guess.js'
import type { Logger } from './log.js'

/** A module or folder: a URL, or an absolute path. */
export type ModuleLocation = URL | string

export interface FrontendOptions {
  /** For all that this frontend sends and is sent; `json` by default. Bytes take the msgpack lane by themselves. */
  codec?: CodecName
  /**
   * `ring`: through shared memory, polled while that makes calls faster. `port`: through a MessagePort. `auto`, the default,
   * takes a ring where each thread of a call can have a core: two, or three in the isolation pattern.
   */
  link?: 'auto' | LinkKind
  /**
   * `false`: a ring is never polled, so that a busy event loop has no turn more than it needs. Where each thread of a call
   * can't have a core it is not polled either.
   */
  poll?: boolean
}

/** The same, with its defaults. */
export type FrontendSettings = Required<FrontendOptions>

export interface FrontendModule extends FrontendOptions {
  module: ModuleLocation
}

export interface IsolationOptions {
  /** A Tauri isolation app: `index.html` and its scripts. Without it, a hook that passes everything. */
  dir?: ModuleLocation
  /** Gives the hook `{ cmd: 'invoke', message }` and `{ cmd: 'emit', event, payload }` in place of Tauri's message. */
  envelope?: boolean
}

export type PatternOptions = { use: 'brownfield' } | { use: 'isolation'; options?: IsolationOptions }

export interface BusOptions extends AppInfo {
  /** The core module, whose default export is made by `defineCore`. */
  core: ModuleLocation
  /** Modules to run in frontend workers, by label. */
  frontends?: Readonly<Record<string, ModuleLocation | FrontendModule>>
  /** Of the same shape as in `tauri.conf.json`. */
  app?: { security?: { pattern?: PatternOptions; capabilities?: readonly Capability[] } }
  /** Each plugin's own options, by its name: what its `setup` is given as `api.config`. */
  plugins?: Readonly<Record<string, unknown>>
  /** A pino logger, or `false` for none. By default warnings and worse go to standard error. */
  log?: Logger | false
  /** Answers `confirm(text)` in an isolation hook, which waits for it. Without it, every answer is `false`. */
  onConfirm?: (text: string, from: { label: string }) => boolean | Promise<boolean>
}

/** The same, with its defaults and every location a URL. */
export interface ResolvedOptions {
  core: URL
  frontends: ({ label: string; module: URL } & FrontendSettings)[]
  pattern: Pattern
  isolation: { dir: URL | undefined; envelope: boolean }
  capabilities: readonly Capability[]
  appInfo: AppInfo
  plugins: Readonly<Record<string, unknown>>
  log: Logger | false | undefined
  onConfirm: BusOptions['onConfirm']
}

const location = v.pipe(
  v.custom<ModuleLocation>(given => given instanceof URL || isAbsoluteLocation(given), 'a URL or an absolute path'),
  v.transform(given => (typeof given === 'string' ? toUrl(given) : given)),
)
const codec = v.optional(v.picklist(['json', 'msgpack'], '"json" or "msgpack"'), 'json')
const LABEL = /^[a-zA-Z0-9\-/:_]{1,200}$/
/** Host and core speak of themselves by these. */
const RESERVED_LABELS = ['host', 'core']
const label = v.pipe(
  v.string(),
  v.regex(LABEL, 'a label of letters, digits, "-", "/", ":" and "_"'),
  v.check(given => !RESERVED_LABELS.includes(given), 'a label other than "host" and "core"'),
)
const names = v.array(v.string('a string'), 'a list of strings')

const link = v.optional(v.picklist(['auto', 'ring', 'port'], '"auto", "ring" or "port"'), 'auto')
const poll = v.optional(v.boolean('true or false'), true)
const frontendOptions = { codec, link, poll }
const DEFAULTS: FrontendSettings = { codec: 'json', link: 'auto', poll: true }
const frontendModule = v.strictObject({ module: location, ...frontendOptions })
const bareModule = v.pipe(
  location,
  v.transform(module => ({ module, ...DEFAULTS })),
)
const frontend = v.lazy(given => (isPlainObject(given) ? frontendModule : bareModule))
const capability = v.strictObject({
  identifier: v.string('a string'),
  description: v.optional(v.string('a string')),
  windows: v.optional(names),
  permissions: names,
})
const pattern = v.variant(
  'use',
  [
    v.strictObject({ use: v.literal('brownfield') }),
    v.strictObject({
      use: v.literal('isolation'),
      options: v.optional(
        v.strictObject({ dir: v.optional(location), envelope: v.optional(v.boolean('true or false')) }),
      ),
    }),
  ],
  '"brownfield" or "isolation"',
)
const security = v.strictObject({ pattern: v.optional(pattern), capabilities: v.optional(v.array(capability)) })
const text = v.optional(v.string('a string'))
const busOptions = v.strictObject({
  core: location,
  frontends: v.optional(v.record(label, frontend)),
  app: v.optional(v.strictObject({ security: v.optional(security) })),
  productName: text,
  version: text,
  identifier: text,
  plugins: v.optional(v.record(v.string(), v.unknown())),
  log: v.optional(
    v.union([v.literal(false), v.looseObject({ level: v.string(), child: v.function() })], 'a pino logger, or false'),
  ),
  onConfirm: v.optional(v.function('a function')),
})

const KNOWN_NAMES = [busOptions, security, capability]
  .flatMap(({ entries }) => Object.keys(entries))
  .concat('module', 'codec', 'link', 'poll', 'security', 'use', 'options', 'dir', 'envelope')

/** @throws BusError `InvalidParams`, which names the option that is wrong. */
export function resolveOptions(given: BusOptions): ResolvedOptions {
  const options = check('createBus', busOptions, given)
  for (const name of Object.keys(given.frontends ?? {})) {
    // valibot passes over these; nobody means them.
    if (!Object.hasOwn(options.frontends ?? {}, name)) {
      throw new BusError('InvalidParams', `createBus: frontends: ${JSON.stringify(name)} is no label`)
    }
  }
  const { pattern: chosen = { use: 'brownfield' as const }, capabilities = [] } = options.app?.security ?? {}
  const { dir, envelope = false } = (chosen.use === 'isolation' ? chosen.options : undefined) ?? {}
  const { productName, version, identifier } = options
  return {
    core: options.core,
    frontends: Object.entries(options.frontends ?? {}).map(([name, settings]) => ({ label: name, ...settings })),
    pattern: chosen.use,
    isolation: { dir, envelope },
    capabilities: capabilities as readonly Capability[],
    appInfo: { ...(productName && { productName }), ...(version && { version }), ...(identifier && { identifier }) },
    plugins: options.plugins ?? {},
    log: given.log,
    onConfirm: given.onConfirm,
  }
}

/** For a frontend that comes later. @throws BusError `InvalidParams` */
export function resolveFrontend(where: string, name: string, options: FrontendOptions = {}): FrontendSettings {
  check(where, label, name)
  return check(where, v.strictObject(frontendOptions), options)
}

export const resolveLocation = (where: string, given: ModuleLocation): URL => check(where, location, given)

function check<S extends v.GenericSchema>(where: string, schema: S, given: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, given, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const path = v.getDotPath(issue) ?? ''
  const at = path === '' ? where : `${where}: ${path}`
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const name = path.split('.').at(-1) ?? ''
    throw new BusError(
      'InvalidParams',
      `${where}: unknown option ${JSON.stringify(path)}${didYouMean(name, KNOWN_NAMES)}`,
    )
  }
  if (issue.received === 'undefined') throw new BusError('InvalidParams', `${at} is missing`)
  throw new BusError('InvalidParams', `${at} must be ${issue.message}: got ${issue.received}`)
}

const HAS_SCHEME = /^[a-z][a-z0-9+.-]+:/i

function isAbsoluteLocation(given: unknown): boolean {
  if (typeof given !== 'string') return false
  return HAS_SCHEME.test(given) ? URL.canParse(given) : isAbsolute(given)
}

const toUrl = (given: string): URL => (HAS_SCHEME.test(given) ? new URL(given) : pathToFileURL(given))

const isPlainObject = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && !(given instanceof URL)
