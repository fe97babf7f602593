// Checks the options, before anything starts, and reads the configuration that they name. A bus without one loads no
// parser for it.
import { access, readdir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import { BusError, describeThrown } from '@sallyport/protocol'
import { checkDefinition } from '../../api/validate-definition.js'
import type { AppInfo } from '../../contract/control.js'
import { didYouMean } from '../../shared/suggest.js'
import { checkOptions } from '../../shared/validate.js'
import type { Logger } from '../reporting/log.js'
import { type SupervisionConfig, resolveSupervision, type SupervisionOptions } from '../supervision/policy.js'
import { createAclInput } from './acl-input.js'
import { folderUrl, location, type ModuleLocation } from './location.js'
import type { Project } from './project.js'
import {
  busOptions,
  type CheckedOptions,
  type CheckedPattern,
  connectionOptions,
  frontendOptions,
  inspectorOptions,
  label,
  OPTION_PLACES,
} from './schema.js'
import type {
  BusOptions,
  ConnectionOptions,
  ConnectionSettings,
  FrontendOptions,
  FrontendSettings,
  ResolvedIsolation,
  ResolvedOptions,
} from './types.js'

/** @throws BusError `InvalidParams`, which names the option or the file that is wrong, and the place in it. */
export async function resolveOptions(given: BusOptions): Promise<ResolvedOptions> {
  const options = checkOptions('createBus', busOptions, given, OPTION_PLACES)
  const { module: core } = options.core
  if (!(core instanceof URL)) checkDefinition('createBus: core', core, ['module'])
  const project = await readProject(options)
  const security = options.app?.security ?? {}
  const pattern = security.pattern ?? project?.pattern ?? { use: 'brownfield' }
  const from = security.pattern ? 'createBus' : project?.from
  return {
    core,
    workers: given.workers ?? {},
    supervision: {
      core: resolveSupervision('permanent', options.supervision, options.core.supervision),
      frontends: options.supervision,
    },
    frontends: resolveFrontends('createBus', given, options),
    calls: options.calls,
    pattern: pattern.use,
    isolation: resolveIsolation(`${from}: app.security.pattern.options.dir`, pattern),
    acl: await createAclInput(options, project),
    appInfo: getAppInfo(options, project),
    plugins: cloneData('createBus: plugins', { ...project?.plugins, ...options.plugins }),
    network: options.network && {
      module: options.network.module,
      options: cloneData('createBus: network.options', options.network.options),
    },
    log: given.log,
    dev: options.dev,
    onConfirm: given.onConfirm,
  }
}

/** @param given as it was, for names that valibot passes over in a record; nobody means them */
export function resolveFrontends(
  where: string,
  given: Pick<BusOptions, 'frontends'>,
  { frontends = {}, supervision: usual }: Pick<CheckedOptions, 'frontends' | 'supervision'>,
): ResolvedOptions['frontends'] {
  for (const name of Object.keys(given.frontends ?? {})) {
    if (!Object.hasOwn(frontends, name)) {
      throw new BusError('InvalidParams', `${where}: frontends: ${JSON.stringify(name)} is no label`)
    }
  }
  return Object.entries(frontends).map(([name, { data, supervision, ...settings }]) => ({
    ...settings,
    supervision: frontendSupervision(usual, supervision),
    label: name,
    data: cloneFor(settings, `${where}: frontends.${name}.data`, data),
  }))
}

/** @param from where its `dir` was named */
export function resolveIsolation(from: string, pattern: CheckedPattern<URL>): ResolvedIsolation {
  const options = (pattern.use === 'isolation' ? pattern.options : undefined) ?? {}
  const { dir, envelope = false, hookTimeout = 1000, maxRecordAge } = options
  return { dir: dir && folderUrl(dir), envelope, hookTimeout, maxRecordAge, from }
}

/** For a frontend that comes later; `usual` is the bus's supervision. @throws BusError `InvalidParams` */
export function resolveFrontend(
  where: string,
  name: string,
  options: FrontendOptions = {},
  usual?: SupervisionOptions,
): FrontendSettings {
  checkOptions(`${where}: its label`, label, name, [])
  const { data, supervision, ...settings } = checkOptions(where, frontendOptions, options, OPTION_PLACES)
  return {
    ...settings,
    supervision: frontendSupervision(usual, supervision),
    data: cloneFor(settings, `${where}: data`, data),
  }
}

export const frontendSupervision = (...given: readonly (SupervisionOptions | undefined)[]): SupervisionConfig =>
  resolveSupervision('transient', ...given)

/** For a connection of the host's own, which has no worker. @throws BusError `InvalidParams` */
export function resolveConnection(where: string, name: string, options: ConnectionOptions = {}): ConnectionSettings {
  checkOptions(`${where}: its label`, label, name, [])
  const { data, ...settings } = checkOptions(where, connectionOptions, options, OPTION_PLACES)
  return { ...settings, data: cloneData(`${where}: data`, data) }
}

export const resolveLocation = (where: string, given: ModuleLocation): URL => checkOptions(where, location, given, [])

/** @throws BusError `InvalidParams` */
export const resolvePort = (where: string, options: { port?: number }): number =>
  checkOptions(where, inspectorOptions, options, ['port']).port

async function readProject({ config }: CheckedOptions): Promise<Project | undefined> {
  if (!config) return undefined
  const { readProject: read } = await import('./project.js')
  return read(config)
}

function getAppInfo(...sources: (Pick<CheckedOptions, keyof AppInfo> | undefined)[]): AppInfo {
  const info: AppInfo = {}
  for (const name of ['productName', 'version', 'identifier'] as const) {
    const value = sources.map(source => source?.[name]).find(one => one != null)
    if (value != null) info[name] = value
  }
  return info
}

/** What goes to a process must go as bytes. */
function cloneFor<T>({ sandbox }: Pick<FrontendSettings, 'sandbox'>, what: string, data: T): T {
  const clone = cloneData(what, data)
  if (typeof sandbox !== 'object' || sandbox.kind !== 'process') return clone
  try {
    return deserialize(serialize(clone)) as T
  } catch (cause) {
    const why = describeThrown(cause)
    throw new BusError('InvalidParams', `${what} can't be sent to another process: ${why}`, { cause })
  }
}

/** As it is now: what the host does with it later changes nothing. */
function cloneData<T>(what: string, data: T): T {
  try {
    return structuredClone(data)
  } catch (cause) {
    throw new BusError('InvalidParams', `${what} can't be cloned: ${(cause as Error).message}`, { cause })
  }
}

// Are the files there that the options name? Asked before anything starts, so that a typing error costs nothing.

/** A process without core has none of core's. */
type CheckedFiles = Pick<ResolvedOptions, 'frontends' | 'isolation'> &
  Partial<Pick<ResolvedOptions, 'core' | 'network'>>

/** @throws BusError `InvalidParams`, which names the option and the file that is missing. */
export async function checkFiles(where: string, options: CheckedFiles): Promise<void> {
  const { core, frontends, isolation, network } = options
  if (core instanceof URL) await checkFile(`${where}: core`, core)
  for (const { label, module } of frontends) await checkFile(`${where}: frontends.${label}`, module)
  if (network) await checkFile(`${where}: network.module`, network.module)
  if (isolation.dir) await checkFile(isolation.from, new URL('index.html', isolation.dir))
}

/** Modules elsewhere than in files (`data:`, …) are looked for when they are loaded. */
export async function checkFile(what: string, url: URL): Promise<void> {
  if (url.protocol !== 'file:') return
  const path = fileURLToPath(url)
  try {
    await access(path)
  } catch (cause) {
    throw new BusError('InvalidParams', `${what}: there is no file ${path}${await hintFor(path)}`, { cause })
  }
}

/** The nearest name in its folder, or that there is no such folder. */
async function hintFor(path: string): Promise<string> {
  const folder = dirname(path)
  try {
    return didYouMean(basename(path), await readdir(folder))
  } catch {
    return `, nor a folder ${folder}`
  }
}

// An isolation pattern without a hook of the user's is allowed, and said.

export function warnAboutMissingHook(
  { pattern, isolation }: Pick<ResolvedOptions, 'pattern' | 'isolation'>,
  log: Logger,
): void {
  if (pattern !== 'isolation' || isolation.dir) return
  log.warn('The isolation pattern has no dir: its hook passes everything. Calls are sealed and authorized all the same')
}
