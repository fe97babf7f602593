// Checks the options and reads the files that they name, before anything starts.
import { access, readdir, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { deserializeValue, type ModuleText, serializeValue } from '@sallyport/protocol/internal/contract'
import { BusError, describeName, describeThrown } from '@sallyport/protocol/internal/errors'
import * as v from 'valibot'
import { checkPlain } from '../../acl/schema.js'
import { getPlatform, splitCapabilities } from '../../acl/types.js'
import type { AclInput, AllowList, CapabilitySource, Pattern } from '../../acl/types.js'
import type { CoreDefinition } from '../../api/define.js'
import { checkDefinition } from '../../api/validate-definition.js'
import type { AppInfo, CallLimits, RunTerms } from '../../contract/host-core.js'
import { isFileLocation, toUrl } from '../../shared/locations.js'
import { didYouMean } from '../../shared/suggest.js'
import { check } from '../../shared/validate.js'
import { Continuations } from '../continuations/continuations.js'
import type { Suspension } from '../continuations/suspension.js'
import type { PreparedFunctions, RunFunctions } from './run-functions.js'
import type { OnConfirm } from '../reporting/confirm.js'
import type { LogOption } from '../reporting/log.js'
import type { SandboxConfig, SandboxOptions } from '../sandboxes/kind/sandbox-config.js'
import {
  hasNamedModules,
  isTrusted,
  limitMemory,
  limitTime,
  NAMED_MODULE_KINDS,
  resolveSandbox,
  type SandboxName,
  TIMED_KINDS,
  TRUSTED_KINDS,
  UNTRUSTED_KINDS,
} from '../sandboxes/kinds.js'
import { resolveSupervision, type SupervisionConfig } from '../supervision/policy.js'
import type { Project, WebviewConfig } from '../tauri-project/project.js'
import type { SharedThreads } from '../workers/shared-threads.js'
import type { WorkerFactories } from '../workers/spawn.js'
import { getOptionPlaces, getRunPlaces } from './option-places.js'
import {
  busSchema,
  connectionSchema,
  frontendSchema,
  isolationDefaults,
  labelSchema,
  moduleSourceSchema,
  runSchema,
  toDirectoryUrl,
} from './schema.js'
import type { ParsedIsolation, ParsedOptions, remoteHostSchema } from './schema.js'
import type { BusOptions, ConnectionOptions, FrontendOptions, RunLimits, RunOptions } from './types.js'

/** Options of the bus that a frontend's own options override. */
export type FrontendDefaults = Pick<ParsedOptions, 'codec' | 'supervision'>

type ParsedFrontend = v.InferOutput<typeof frontendSchema>

/** Options of a connection or a frontend, with those of the bus in place of missing ones. */
export interface ConnectionConfig extends Omit<v.InferOutput<typeof connectionSchema>, 'codec' | 'allow'> {
  codec: FrontendDefaults['codec']
  supervision: SupervisionConfig
  allow: AllowList | undefined
  /** True for code that has the rights of the host. */
  isTrusted: boolean
  /** Label that the frontend's limits count for: a further tab of a page shares those of the page. @default the frontend's own */
  limitLabel?: string | undefined
  /** True for the code of `bus.run`: it runs once, and only its caller gets its errors. */
  runsOnce?: boolean
  /** What the code of `bus.run` has in addition. */
  run?: RunTerms
  /** Gets what a run reports that is interrupted. */
  suspension?: Suspension | undefined
}

export interface FrontendConfig extends ConnectionConfig, Pick<ParsedFrontend, 'onStdio' | 'loaded' | 'loadTimeout'> {
  sandbox: SandboxConfig<SandboxName>
  /** The module's code, if it has no file. */
  text?: ModuleText | undefined
  /** The snapshot that a run goes on from. */
  snapshot?: Uint8Array
}

export interface RunConfig {
  label: string | undefined
  module: URL
  config: FrontendConfig
  args: object
  timeout: number | undefined
  functions: PreparedFunctions | undefined
  limits: RunLimits
  report: boolean
}

export interface HostConfig extends FrontendDefaults {
  log: LogOption
  onConfirm: OnConfirm | undefined
  workers: WorkerFactories
  frontends: ({ label: string; module: URL } & FrontendConfig)[]
  calls: CallLimits
  /** `spares` of the sandboxes of `bus.run`. */
  runSpares?: number
  continuations?: Continuations
  pattern: Pattern
  /** `from` is the option or file that names `dir`, for error texts. */
  isolation: {
    dir: URL | undefined
    legacyMessages: boolean
    hookTimeout: number
    gates: 'each' | number
    from: string
  }
  dev: boolean
  /** Absent if core is in another process. */
  core?: URL | CoreDefinition
}

export interface BusConfig extends HostConfig, Pick<ParsedOptions, 'network' | 'startTimeout'> {
  /** Whether an inspector is opened. */
  inspect: boolean
  core: URL | CoreDefinition
  coreSupervision: SupervisionConfig
  loadTimeout: number
  acl: AclInput
  appInfo: AppInfo
  resources: ParsedOptions['resources']
  /** The parts of a Tauri project's configuration that are about pages. */
  webview: WebviewConfig | undefined
  plugins: Readonly<Record<string, unknown>>
}

/** @throws {BusError} InvalidParams, which names the option or file, and the place in it */
export async function resolveOptions(input: BusOptions): Promise<BusConfig> {
  const options = check('createBus', busSchema, input, getOptionPlaces)
  const { network, startTimeout, inspect = getInspectVariable() } = options
  const { module: core, loadTimeout } = options.core
  if (!(core instanceof URL)) checkDefinition('createBus: core', core, ['module'])
  // Loaded here: without a configuration no bus needs its parsers.
  const read = options.config && (await import('../tauri-project/project.js')).readProject
  const project = options.config && (await read?.(options.config, getHosts(core), getOptionPlaces))
  return {
    ...(await resolveHost('createBus', input, options, project)),
    ...{ core, loadTimeout, startTimeout, inspect, runSpares: options.runs.spares },
    continuations: new Continuations(options.runs.key, options.runs.claim),
    coreSupervision: resolveSupervision('permanent', options.supervision, options.core.supervision),
    acl: await createAclInput(options, project),
    appInfo: getAppInfo(options, project),
    resources: options.resources,
    webview: project?.webview,
    plugins: cloneData('createBus: pluginOptions', { ...project?.plugins, ...options.pluginOptions }),
    network: network && { ...network, options: cloneData('createBus: network.options', network.options) },
  }
}

/** @throws {BusError} InvalidParams for a value that is neither 1 nor 0 */
function getInspectVariable(): boolean {
  const { SALLYPORT_INSPECT: value = '' } = process.env
  if (value === '' || value === '0') return false
  if (value === '1') return true
  const text = `The variable SALLYPORT_INSPECT was ${describeName(value)}. Set it to 1 or 0`
  throw new BusError('InvalidParams', text)
}

/** Returns directories of the host's code: that of the core module, and that which the host was started in. */
function getHosts(core: URL | CoreDefinition): string[] {
  const isFile = core instanceof URL && core.protocol === 'file:'
  return [...(isFile ? [dirname(fileURLToPath(core))] : []), process.cwd()]
}

type ParsedHost = v.InferOutput<typeof remoteHostSchema>

/** @param input - the options as they were written: valibot omits some keys of a record */
export async function resolveHost(
  where: string,
  input: Pick<BusOptions, 'frontends' | 'workers' | 'log' | 'onConfirm'>,
  options: ParsedHost,
  project?: Project,
): Promise<HostConfig> {
  const { codec, supervision, calls, dev, frontends = {} } = options
  for (const label of Object.keys(input.frontends ?? {})) {
    if (!Object.hasOwn(frontends, label)) check(`${where}: its label`, labelSchema, label)
  }
  return {
    ...{ codec, supervision, calls, dev, log: input.log, onConfirm: input.onConfirm, workers: input.workers ?? {} },
    frontends: await Promise.all(
      Object.entries(frontends).map(async ([label, { module, ...frontend }]) => ({
        ...(await toFrontendConfig(`${where}: frontends.${label}.`, frontend, { codec, supervision }, module.text)),
        label,
        module: module.url,
      })),
    ),
    ...resolvePattern(where, options, project),
  }
}

function resolvePattern(
  where: string,
  { isolation: options, app }: ParsedHost,
  project: Project | undefined,
): Pick<HostConfig, 'pattern' | 'isolation'> {
  const place = 'app.security.pattern'
  const nested = app?.security?.pattern
  refuseBoth(where, { isolation: options, [place]: nested })
  const pattern = nested ?? project?.pattern
  const chosen: ParsedIsolation | undefined = options ?? (pattern?.use === 'isolation' ? pattern.options : undefined)
  const { dir, ...isolation } = chosen ?? isolationDefaults
  const from = nested || !project ? where : project.from
  return {
    pattern: chosen ? 'isolation' : 'brownfield',
    isolation: {
      ...isolation,
      dir: dir && toDirectoryUrl(dir),
      from: options ? `${where}: isolation.dir` : `${from}: ${place}.options.dir`,
    },
  }
}

/** @param forms - the values of an option and of Tauri's form of it, by place @throws {BusError} InvalidParams if both are given */
function refuseBoth(where: string, forms: Readonly<Record<string, unknown>>): void {
  const places = Object.keys(forms)
  if (places.some(place => forms[place] === undefined)) return
  const text = `${places.join(' and ')} were both given, and set the same. Remove one of them`
  throw new BusError('InvalidParams', `${where}: ${text}`)
}

export async function resolveFrontend(
  where: string,
  label: string,
  options: FrontendOptions = {},
  { text, ...host }: FrontendDefaults & { text?: ModuleText | undefined; threads: SharedThreads },
): Promise<FrontendConfig> {
  check(`${where}: its label`, labelSchema, label)
  return toFrontendConfig(`${where}: `, check(where, frontendSchema, options, getOptionPlaces), host, text)
}

/** The code is the body of an async function. Its wrapper has one line before it, so that lines are its own. */
const WRAPPER = {
  imports: `import { Channel, emit, expose, invoke, listen, stream } from '@sallyport/frontend'; `,
  before: `expose({ 'bus.run': args => (async () => {`,
  after: '\n})() })',
}

/** @param declare - returns a declaration of variables of the code, with the expression that is `invoke` */
const createWrapper = (
  declare: ((invoke: string) => string) | undefined,
  maxResultBytes: number | undefined,
): NonNullable<ModuleText['wrapper']> => ({
  maxResultBytes,
  before: `${WRAPPER.imports}${declare?.('invoke') ?? ''}${WRAPPER.before}`,
  after: WRAPPER.after,
  ...(declare && { globals: declare('sallyport.invoke') }),
})

export async function resolveRun(
  where: string,
  source: string,
  options: RunOptions,
  {
    calls,
    runSpares,
    continuations,
    ...host
  }: FrontendDefaults & Pick<HostConfig, 'calls' | 'runSpares' | 'continuations'> & { threads: SharedThreads },
): Promise<RunConfig> {
  const { label, args, directory, modules, language, memory, functions, limits, report, ...checked } = check(
    where,
    runSchema,
    options,
    getRunPlaces,
  )
  // Few runs have some.
  const prepared = functions && (await import('./run-functions.js')).prepareFunctions(where, functions as RunFunctions)
  const { allow, codec, data, onStdio } = checked
  const sandbox = limitSandbox(where, checked.sandbox, memory, limits)
  const { url, text } = check(`${where}: the code`, moduleSourceSchema, {
    ...{ source, name: `run.${language === 'typescript' ? 'ts' : 'js'}`, directory, modules },
  })
  const { timeout: limit = calls.timeout } = options
  const timeout = limit === false ? undefined : limit
  sandbox.spares ??= runSpares
  // Code that computes for longer than a heartbeat allows has its timeout.
  const supervision = { restart: 'temporary', ...(timeout && { heartbeat: false as const }) } as const
  const parsed = { ...v.getDefaults(frontendSchema), allow, codec, data, onStdio, sandbox, supervision, loaded: false }
  const config = await toFrontendConfig(`${where}: `, parsed, host, {
    ...text!,
    wrapper: createWrapper(prepared?.declare, limits.resultBytes),
  })
  const interrupts = config.sandbox.engine && (continuations?.hasKey ? ('yes' as const) : ('no-key' as const))
  const run: RunTerms = { functions: prepared?.name, maxCalls: limits.calls, interrupts: interrupts || undefined }
  return {
    ...{ label, module: url, args, timeout, functions: prepared, limits, report },
    config: { ...config, runsOnce: true, run },
  }
}

/** @throws {BusError} InvalidParams for two limits of memory, or one of time that the sandbox does not have */
function limitSandbox(
  where: string,
  options: SandboxOptions<SandboxName>,
  memory: number | undefined,
  limits: RunLimits,
): SandboxOptions<SandboxName> {
  if (memory !== undefined && limits.memory !== undefined)
    throw new BusError('InvalidParams', `${where}: memory and limits.memory are the same limit. Leave one of them out`)
  const mebibytes = memory ?? limits.memory
  const limited = mebibytes === undefined ? options : limitMemory(options, mebibytes)
  if (limits.time === undefined) return limited
  const timed = limitTime(limited, limits.time)
  if (timed) return timed
  const remedy = `Use ${TIMED_KINDS}, or set timeout`
  throw new BusError('InvalidParams', `${where}: sandbox ${JSON.stringify(options.kind)} has no limits.time. ${remedy}`)
}

export function resolveConnection(
  where: string,
  label: string,
  options: ConnectionOptions = {},
  { codec, supervision }: FrontendDefaults,
): ConnectionConfig {
  check(`${where}: its label`, labelSchema, label)
  const { data, allow, ...config } = check(where, connectionSchema, options, getOptionPlaces)
  return {
    ...config,
    allow: toAllowList(`${where}: allow`, allow),
    isTrusted: true,
    codec: config.codec ?? codec,
    supervision: resolveSupervision('transient', supervision),
    data: cloneData(`${where}: data`, data),
  }
}

function toAllowList(from: string, entries: AllowList['entries'] | undefined): AllowList | undefined {
  // Checked before they are cloned for core, which changes some values.
  for (const [index, value] of entries?.entries() ?? []) checkPlain({ value, from: `${from}[${index}]` })
  return entries && { entries, from }
}

/** @param place - the place of the frontend's options, for error texts */
async function toFrontendConfig(
  place: string,
  { data, supervision, allow, codec, ...options }: ParsedFrontend,
  { threads, ...defaults }: FrontendDefaults & { threads?: SharedThreads },
  text?: ModuleText,
): Promise<FrontendConfig> {
  const hasTrust = isTrusted(options.sandbox)
  if (text && hasTrust) {
    const remedy = `Use ${UNTRUSTED_KINDS}, or a file for code that you trust`
    throw new BusError('InvalidParams', `${place}sandbox must not be ${TRUSTED_KINDS} for code as text. ${remedy}`)
  }
  if (text?.modules && !hasNamedModules(options.sandbox)) {
    const remedy = `Use ${NAMED_MODULE_KINDS}, or files in a directory`
    throw new BusError(
      'InvalidParams',
      `${place}modules cannot be loaded by sandbox ${JSON.stringify(options.sandbox.kind)}. ${remedy}`,
    )
  }
  if (options.link === 'port' && !hasTrust) {
    const reason =
      'Node deserializes what arrives at a port in the receiving thread, and hostile code could end core with it'
    const remedy = `Use "auto" or "ring", or sandbox: ${TRUSTED_KINDS} for code that you trust`
    const text = `link must not be "port" for a frontend in a sandbox: ${reason}. ${remedy}`
    throw new BusError('InvalidParams', `${place}${text}`)
  }
  // Copied first, because the host can change it meanwhile.
  const clone = cloneData(`${place}data`, data)
  const allowList = toAllowList(`${place}allow`, allow)
  const sandbox = await resolveSandbox(options.sandbox, `${place}sandbox`, threads)
  return {
    ...options,
    sandbox,
    text,
    allow: allowList,
    isTrusted: hasTrust,
    codec: codec ?? defaults.codec,
    supervision: resolveSupervision('transient', defaults.supervision, supervision),
    data: sandbox.hasProcess ? serializeData(`${place}data`, clone) : clone,
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
    const copy: unknown = deserializeValue(serializeValue(data))
    if (isDeepStrictEqual(copy, structuredClone(data))) return copy
    throw new TypeError('it contains an object of Node.js, which would arrive empty')
  } catch (cause) {
    const text = `${what} can't be sent to another process: ${describeThrown(cause)}`
    throw new BusError('InvalidParams', text, { cause })
  }
}

/** @throws {BusError} InvalidParams, which names the option and the missing file */
export async function checkFiles(where: string, config: HostConfig & Partial<BusConfig>): Promise<void> {
  const { core, frontends, isolation, network, resources } = config
  if (core instanceof URL) await checkFile(`${where}: core`, core)
  for (const { label, module, text } of frontends) await checkModule(`${where}: frontends.${label}`, module, text)
  if (network) await checkFile(`${where}: network.module`, network.module)
  if (resources) await checkFile(`${where}: resources`, resources)
  if (isolation.dir) await checkFile(isolation.from, new URL('index.html', isolation.dir))
}

/** Checks the module's file, or the directory of code that has no file. */
export async function checkModule(what: string, url: URL, text: ModuleText | undefined): Promise<void> {
  if (!text) return checkFile(what, url)
  if (url.protocol !== 'file:') return
  const directory = new URL('.', url)
  const isDirectory = await stat(directory).then(
    stats => stats.isDirectory(),
    () => false,
  )
  if (!isDirectory) throw new BusError('InvalidParams', `${what}: there is no directory ${fileURLToPath(directory)}`)
}

/** Modules outside of files (`data:`, …) are looked for when they are loaded. */
export async function checkFile(what: string, url: URL): Promise<void> {
  if (url.protocol !== 'file:') return
  const path = fileURLToPath(url)
  try {
    await access(path)
  } catch {
    throw new BusError('InvalidParams', `${what}: there is no file ${path}${await suggestFile(path)}`)
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

/** Options with files as URLs or paths, and identifiers as strings. */
type Entries = readonly (URL | string | object)[]

/** Gathers capabilities and permissions in the options, and in the files that they or the configuration name. */
async function createAclInput(
  { permissions, unknownPermissions = 'error', ...options }: ParsedOptions,
  project: Project | undefined,
): Promise<AclInput> {
  const capabilities = await getCapabilities(options, project)
  const ownFiles = permissions && (await readEntries(permissions, 'createBus: permissions'))
  const permissionFiles = ownFiles?.map(source => ({ ...source, plugin: undefined })) ?? project?.permissionFiles ?? []
  // Checked before they are cloned for core, which changes some values.
  for (const source of [...capabilities, ...permissionFiles]) checkPlain(source)
  return {
    capabilities,
    permissionFiles,
    manifests: project?.manifests,
    unknownPermissions,
    isTauriProject: project !== undefined,
    platform: getPlatform(process.platform),
  }
}

function getCapabilities(
  { capabilities, app }: Pick<ParsedOptions, 'capabilities' | 'app'>,
  project: Project | undefined,
): Promise<CapabilitySource[]> {
  const place = 'app.security.capabilities'
  const nested = app?.security?.capabilities
  refuseBoth('createBus', { capabilities, [place]: nested })
  const files = project?.capabilityFiles ?? []
  const entries = capabilities ?? nested
  if (entries) return readEntries(entries, `createBus: ${capabilities ? 'capabilities' : place}`, files, true)
  const identifiers = project?.capabilities ?? []
  // Without a list Tauri uses every file.
  if (identifiers.length === 0) return Promise.resolve([...files])
  return readEntries(identifiers, `${project!.from}: ${place}`, files)
}

/** Returns inline values, the content of files, and the capabilities in `files` that are named by identifiers. */
async function readEntries(
  entries: Entries,
  list: string,
  files: readonly CapabilitySource[] = [],
  isOption = false,
): Promise<CapabilitySource[]> {
  const sources = entries.map(async (entry, index): Promise<readonly CapabilitySource[]> => {
    const from = `${list}[${index}]`
    if (!isFileLocation(entry)) {
      if (typeof entry === 'string') return findCapabilities(entry, from, files)
      return [{ value: entry, from, ...(isOption && { isOption }) }]
    }
    // Loads the parsers only for an option that names files.
    const { readFileOrDirectory } = await import('../tauri-project/config-files.js')
    return readFileOrDirectory(from, toUrl(entry))
  })
  return (await Promise.all(sources)).flat()
}

/** Returns all capabilities with this identifier; core refuses duplicates. */
function findCapabilities(identifier: string, from: string, files: readonly CapabilitySource[]): CapabilitySource[] {
  const all = files.flatMap(splitCapabilities)
  const found = all.filter(source => getIdentifier(source) === identifier)
  if (found.length > 0) return found
  const known = all.flatMap(source => getIdentifier(source) ?? [])
  let hint = didYouMean(identifier, known)
  if (/[\\/]/.test(identifier)) hint = ' (the path of a file or directory must be absolute)'
  else if (known.length === 0) hint = ' (no file has a capability)'
  else if (hint === '') hint = ` (there are ${known.map(id => JSON.stringify(id)).join(', ')})`
  throw new BusError('InvalidParams', `${from}: no file of capabilities has ${JSON.stringify(identifier)}${hint}`)
}

function getIdentifier({ value }: CapabilitySource): string | undefined {
  const { identifier } = (value ?? {}) as { identifier?: unknown }
  return typeof identifier === 'string' ? identifier : undefined
}
