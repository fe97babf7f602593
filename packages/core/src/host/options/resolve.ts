// Checks the options and reads the files that they name, before anything starts.
import { access, readdir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import { BusError, describeThrown } from '@sallyport/protocol/internal'
import type * as v from 'valibot'
import { checkDefinition } from '../../api/validate-definition.js'
import type { AppInfo } from '../../contract/control.js'
import { didYouMean } from '../../shared/suggest.js'
import { check } from '../../shared/validate.js'
import type { Logger } from '../reporting/log.js'
import { resolveSupervision, type SupervisionConfig, type SupervisionOptions } from '../supervision/policy.js'
import { createAclInput } from './acl-input.js'
import { locationSchema, type ModuleLocation, toDirectoryUrl } from './location.js'
import {
  busSchema,
  connectionSchema,
  frontendSchema,
  inspectorSchema,
  isolationDefaults,
  labelSchema,
  OPTION_PLACES,
  type ParsedOptions,
  type ParsedPattern,
} from './schema.js'
import type {
  BusConfig,
  BusOptions,
  ConnectionConfig,
  ConnectionOptions,
  FrontendConfig,
  FrontendOptions,
  IsolationConfig,
} from './types.js'

/** Options of the bus that a frontend's own options override. */
export type FrontendDefaults = Pick<BusConfig, 'codec'> & { supervision?: SupervisionOptions | undefined }

/** @throws {BusError} InvalidParams, which names the option or file, and the place in it */
export async function resolveOptions(input: BusOptions): Promise<BusConfig> {
  const options = check('createBus', busSchema, input, OPTION_PLACES)
  const { module: core } = options.core
  if (!(core instanceof URL)) checkDefinition('createBus: core', core, ['module'])
  // Loaded here: without a configuration no bus needs its parsers.
  const project = options.config && (await (await import('./project.js')).readProject(options.config))
  const ownPattern = options.app?.security?.pattern
  const pattern = ownPattern ?? project?.pattern
  const source = ownPattern ? 'createBus' : project?.from
  return {
    core,
    codec: options.codec,
    workers: input.workers ?? {},
    supervision: {
      core: resolveSupervision('permanent', options.supervision, options.core.supervision),
      frontends: options.supervision,
    },
    frontends: resolveFrontends('createBus', input, options),
    calls: options.calls,
    pattern: pattern?.use ?? 'brownfield',
    isolation: resolveIsolation(`${source}: app.security.pattern.options.dir`, pattern),
    acl: await createAclInput(options, project),
    appInfo: getAppInfo(options, project),
    plugins: cloneData('createBus: pluginOptions', { ...project?.plugins, ...options.pluginOptions }),
    network: options.network && {
      module: options.network.module,
      options: cloneData('createBus: network.options', options.network.options),
    },
    log: input.log,
    dev: options.dev,
    onConfirm: input.onConfirm,
  }
}

/**
 * @param input - the options as they were written: valibot omits some keys of a record
 * @internal
 */
export function resolveFrontends(
  where: string,
  input: Pick<BusOptions, 'frontends'>,
  { frontends = {}, ...defaults }: Pick<ParsedOptions, 'frontends'> & FrontendDefaults,
): BusConfig['frontends'] {
  for (const label of Object.keys(input.frontends ?? {})) {
    if (Object.hasOwn(frontends, label)) continue
    throw new BusError('InvalidParams', `${where}: frontends: invalid label ${JSON.stringify(label)}`)
  }
  return Object.entries(frontends).map(([label, { module, ...options }]) => ({
    ...toFrontendConfig(`${where}: frontends.${label}.`, options, defaults),
    label,
    module,
  }))
}

/**
 * @param from - the option or file that names the isolation app
 * @internal
 */
export function resolveIsolation(from: string, pattern: ParsedPattern): IsolationConfig {
  const { dir, ...options } = pattern?.use === 'isolation' ? pattern.options : isolationDefaults
  return { ...options, dir: dir && toDirectoryUrl(dir), from }
}

/**
 * Resolves the options of a frontend that is opened while the bus runs.
 *
 * @throws {BusError} InvalidParams
 */
export function resolveFrontend(
  where: string,
  label: string,
  options: FrontendOptions = {},
  defaults: FrontendDefaults = { codec: 'json' },
): FrontendConfig {
  check(`${where}: its label`, labelSchema, label)
  return toFrontendConfig(`${where}: `, check(where, frontendSchema, options, OPTION_PLACES), defaults)
}

/** Returns the supervision of a frontend: later options take precedence. */
export const resolveFrontendSupervision = (
  ...options: readonly (SupervisionOptions | undefined)[]
): SupervisionConfig => resolveSupervision('transient', ...options)

/** Resolves the options of a connection, which has no worker. @throws {BusError} InvalidParams */
export function resolveConnection(
  where: string,
  label: string,
  options: ConnectionOptions = {},
  defaults: FrontendDefaults = { codec: 'json' },
): ConnectionConfig {
  check(`${where}: its label`, labelSchema, label)
  const { data, codec = defaults.codec, ...config } = check(where, connectionSchema, options, OPTION_PLACES)
  return { ...config, codec, data: cloneData(`${where}: data`, data) }
}

export const resolveLocation = (where: string, location: ModuleLocation): URL => check(where, locationSchema, location)

export const resolvePort = (where: string, options: { port?: number }): number =>
  check(where, inspectorSchema, options, ['port']).port

/** @param place - the place of the frontend's options, for error texts */
function toFrontendConfig(
  place: string,
  { data, supervision, allow, codec, ...options }: v.InferOutput<typeof frontendSchema>,
  defaults: FrontendDefaults,
): FrontendConfig {
  const { sandbox, link } = options
  if (link === 'port' && sandbox !== 'none') {
    const reason =
      'Node deserializes what arrives at a port in the receiving thread, and hostile code could end core with it'
    const remedy = 'Use "auto" or "ring", or sandbox: "none" for code that you trust'
    throw new BusError(
      'InvalidParams',
      `${place}link must not be "port" for a frontend in a sandbox: ${reason}. ${remedy}`,
    )
  }
  const clone = cloneData(`${place}data`, data)
  const isProcess = typeof sandbox === 'object' && sandbox.kind === 'process'
  return {
    ...options,
    allow: allow && { entries: allow, from: `${place}allow` },
    codec: codec ?? defaults.codec,
    supervision: resolveFrontendSupervision(defaults.supervision, supervision),
    data: isProcess ? serializeData(`${place}data`, clone) : clone,
  }
}

function getAppInfo(...sources: (Pick<ParsedOptions, keyof AppInfo> | undefined)[]): AppInfo {
  const info: AppInfo = {}
  for (const name of ['productName', 'version', 'identifier'] as const) {
    const value = sources.map(source => source?.[name]).find(each => each != null)
    if (value != null) info[name] = value
  }
  return info
}

/** Copies the data, so that later changes by the host have no effect. */
function cloneData<T>(what: string, data: T): T {
  try {
    return structuredClone(data)
  } catch (cause) {
    throw new BusError('InvalidParams', `${what} can't be cloned: ${(cause as Error).message}`, { cause })
  }
}

/** Copies the data as it is sent to another process. */
function serializeData(what: string, data: unknown): unknown {
  try {
    return deserialize(serialize(data))
  } catch (cause) {
    const text = `${what} can't be sent to another process: ${describeThrown(cause)}`
    throw new BusError('InvalidParams', text, { cause })
  }
}

/** A host without core has no module of core's. */
type Modules = Pick<BusConfig, 'frontends' | 'isolation'> & Partial<Pick<BusConfig, 'core' | 'network'>>

/** @throws {BusError} InvalidParams, which names the option and the missing file */
export async function checkFiles(where: string, { core, frontends, isolation, network }: Modules): Promise<void> {
  if (core instanceof URL) await checkFile(`${where}: core`, core)
  for (const { label, module } of frontends) await checkFile(`${where}: frontends.${label}`, module)
  if (network) await checkFile(`${where}: network.module`, network.module)
  if (isolation.dir) await checkFile(isolation.from, new URL('index.html', isolation.dir))
}

/** Modules outside of files (`data:`, …) are looked for when they are loaded. */
export async function checkFile(what: string, url: URL): Promise<void> {
  if (url.protocol !== 'file:') return
  const path = fileURLToPath(url)
  try {
    await access(path)
  } catch (cause) {
    throw new BusError('InvalidParams', `${what}: there is no file ${path}${await suggestFile(path)}`, { cause })
  }
}

async function suggestFile(path: string): Promise<string> {
  const directory = dirname(path)
  try {
    return didYouMean(basename(path), await readdir(directory))
  } catch {
    return `, nor a directory ${directory}`
  }
}

export function warnAboutMissingHook(
  { pattern, isolation }: Pick<BusConfig, 'pattern' | 'isolation'>,
  log: Logger,
): void {
  if (pattern !== 'isolation' || isolation.dir) return
  log.warn(
    'The isolation pattern has no dir, so its hook passes every message. Calls are still encrypted and authorized',
  )
}
