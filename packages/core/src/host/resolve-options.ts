// Checks the options, before anything starts, and reads the configuration that they name. A bus without one loads no
// parser for it.
import { BusError, describeThrown } from '@sallyport/protocol'
import { deserialize, serialize } from 'node:v8'
import type { AppInfo } from '../control.js'
import { checkDefinition } from '../definition.js'
import { createAclInput } from './acl-input.js'
import { check } from './check.js'
import type { Project } from './config/project.js'
import { inspectorOptions } from './inspector-schema.js'
import { folderUrl, location } from './location.js'
import { OPTION_PLACES, busOptions, connectionOptions, frontendOptions, label } from './option-schemas.js'
import type { CheckedOptions, CheckedPattern } from './option-schemas.js'
import type { BusOptions, ConnectionOptions, ConnectionSettings, FrontendOptions, FrontendSettings, ResolvedIsolation, ResolvedOptions } from './options.js'
import type { ModuleLocation } from './location.js'
import { supervisionOf, type Supervision, type SupervisionOptions } from './supervision.js'

/** @throws BusError `InvalidParams`, which names the option or the file that is wrong, and the place in it. */
export async function resolveOptions(given: BusOptions): Promise<ResolvedOptions> {
  const options = check('createBus', busOptions, given, OPTION_PLACES)
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
      core: supervisionOf('permanent', options.supervision, options.core.supervision),
      frontends: options.supervision,
    },
    frontends: resolveFrontends('createBus', given, options),
    calls: options.calls,
    pattern: pattern.use,
    isolation: resolveIsolation(`${from}: app.security.pattern.options.dir`, pattern),
    acl: await createAclInput(options, project),
    appInfo: appInfoOf(options, project),
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
  check(`${where}: its label`, label, name, [])
  const { data, supervision, ...settings } = check(where, frontendOptions, options, OPTION_PLACES)
  return {
    ...settings,
    supervision: frontendSupervision(usual, supervision),
    data: cloneFor(settings, `${where}: data`, data),
  }
}

export const frontendSupervision = (...given: readonly (SupervisionOptions | undefined)[]): Supervision =>
  supervisionOf('transient', ...given)

/** For a connection of the host's own, which has no worker. @throws BusError `InvalidParams` */
export function resolveConnection(where: string, name: string, options: ConnectionOptions = {}): ConnectionSettings {
  check(`${where}: its label`, label, name, [])
  const { data, ...settings } = check(where, connectionOptions, options, OPTION_PLACES)
  return { ...settings, data: cloneData(`${where}: data`, data) }
}

export const resolveLocation = (where: string, given: ModuleLocation): URL => check(where, location, given, [])

/** @throws BusError `InvalidParams` */
export const resolvePort = (where: string, options: { port?: number }): number =>
  check(where, inspectorOptions, options, ['port']).port

async function readProject({ config }: CheckedOptions): Promise<Project | undefined> {
  if (!config) return undefined
  const { readProject: read } = await import('./config/project.js')
  return read(config)
}

function appInfoOf(...sources: (Pick<CheckedOptions, keyof AppInfo> | undefined)[]): AppInfo {
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
