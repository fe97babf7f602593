// Checks the options of a bus or a remote host, and reads the files that they name, before anything starts.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BusError, describeName, didYouMean } from '@sallyport/protocol/internal/errors'
import type * as v from 'valibot'
import { checkPlain } from '../acl/schema.js'
import { type AclInput, type CapabilitySource, getPlatform, splitCapabilities } from '../acl/types.js'
import type { CoreDefinition } from '../api/define.js'
import { checkDefinition } from '../api/validate-definition.js'
import { requireNode } from '../shared/other-runtime.js'
import { isFileLocation, locationSchema, type ModuleLocation, toUrl } from '../shared/locations.js'
import { check } from '../shared/validate.js'
import { Continuations } from '../life/continuations/continuations.js'
import type { HostConfig } from '../life/frontends/config.js'
import { resolveSupervision } from '../life/policy.js'
import type { Project } from './tauri-project/project.js'
import { checkFile } from './check-files.js'
import type { BusConfig } from './config.js'
import { cloneData, toFrontendConfig } from './resolve-frontend.js'
import {
  type ParsedOptions,
  busSchema,
  getOptionPlaces,
  hookSchema,
  isolationDefaults,
  labelSchema,
  remoteHostSchema,
  toDirectoryUrl,
} from './schema.js'
import type { BusOptions, HookOptions } from './types.js'

/** @throws {BusError} InvalidParams, which names the option or file, and the place in it */
export async function resolveOptions(input: BusOptions): Promise<BusConfig> {
  const options = check('createBus', busSchema, input, getOptionPlaces)
  const { config, network, startTimeout, inspect = getInspectVariable() } = options
  const { module: core } = options.core
  if (!(core instanceof URL)) checkDefinition('createBus: core', core, ['module'])
  const project = config instanceof URL ? await loadProject(config, core) : undefined
  const { productName, version, identifier, plugins } = project ?? (config as Exclude<typeof config, URL>) ?? {}
  return {
    ...(await resolveHost('createBus', input, options, project)),
    ...{ core, startTimeout, inspect },
    continuations: new Continuations(options.runs.key, options.runs.claim),
    coreSupervision: resolveSupervision('permanent', options.supervision, options.core.supervision),
    acl: await createAclInput(options, project),
    appInfo: {
      productName: productName ?? undefined,
      version: version ?? undefined,
      identifier: identifier ?? undefined,
    },
    resources: options.resources,
    webview: project?.webview,
    plugins: cloneData('createBus: config.plugins', plugins ?? {}),
    network: network && { ...network, options: cloneData('createBus: network.options', network.options) },
  }
}

/** The parsers of its files are loaded only here: without a project no bus needs them. */
async function loadProject(config: URL, core: URL | CoreDefinition): Promise<Project> {
  const isFile = core instanceof URL && core.protocol === 'file:'
  const hosts = [...(isFile ? [dirname(fileURLToPath(core))] : []), process.cwd()]
  const { readProject } = await import('./tauri-project/project.js')
  return readProject(config, hosts)
}

/** @throws {BusError} InvalidParams for a value that is neither 1 nor 0 */
function getInspectVariable(): false | 'if-installed' {
  const { SALLYPORT_INSPECT: value = '' } = process.env
  if (value === '' || value === '0') return false
  if (value === '1') return 'if-installed'
  const text = `The variable SALLYPORT_INSPECT was ${describeName(value)}. Set it to 1 or 0`
  throw new BusError('InvalidParams', text)
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
    ...resolvePattern(where, options.isolation, project),
  }
}

/** Options of a gate without a bus. @throws {BusError} InvalidParams if there is no such app */
export async function resolveHook(location: ModuleLocation, settings: HookOptions): Promise<HostConfig> {
  const from = 'runHook: dir'
  const { legacyMessages, hookTimeout } = check('runHook', hookSchema, settings)
  const { onConfirm } = settings
  const isolation = { dir: check(from, locationSchema, location), legacyMessages, hookTimeout, gates: 'each' as const }
  const input = { log: false, ...(onConfirm && { onConfirm }) } as const
  const options = await resolveHost('runHook', input, check('runHook', remoteHostSchema, { isolation }))
  await checkFile(from, new URL('index.html', options.isolation.dir))
  return options
}

function resolvePattern(
  where: string,
  options: ParsedHost['isolation'],
  project: Project | undefined,
): Pick<HostConfig, 'pattern' | 'isolation'> {
  const chosen = options ?? project?.isolation
  if (chosen) requireNode(`${where}: isolation`, 'its hook does not answer there')
  const { dir, ...isolation } = chosen ?? isolationDefaults
  return {
    pattern: chosen ? 'isolation' : 'brownfield',
    isolation: {
      ...isolation,
      dir: dir && toDirectoryUrl(dir),
      from: options || !project ? `${where}: isolation.dir` : `${project.from}: app.security.pattern.options.dir`,
    },
  }
}

type AclOptions = Pick<ParsedOptions, 'capabilities' | 'permissions'>

/** Gathers capabilities and permissions in the options, and in the files that they or the project name. */
async function createAclInput(options: AclOptions, project: Project | undefined): Promise<AclInput> {
  const capabilities = await getCapabilities(options.capabilities, project)
  const ownFiles = options.permissions && (await readEntries(options.permissions, 'createBus: permissions'))
  const permissionFiles = ownFiles?.map(source => ({ ...source, plugin: undefined })) ?? project?.permissionFiles ?? []
  // Checked before they are cloned for core, which changes some values.
  for (const source of [...capabilities, ...permissionFiles]) checkPlain(source)
  return {
    capabilities,
    permissionFiles,
    manifests: project?.manifests,
    isTauriProject: project !== undefined,
    platform: getPlatform(process.platform),
  }
}

function getCapabilities(
  entries: AclOptions['capabilities'],
  project: Project | undefined,
): Promise<CapabilitySource[]> {
  const files = project?.capabilityFiles ?? []
  if (entries) return readEntries(entries, 'createBus: capabilities', files, true)
  const identifiers = project?.capabilities ?? []
  // Without a list Tauri uses every file.
  if (identifiers.length === 0) return Promise.resolve([...files])
  return readEntries(identifiers, `${project!.from}: app.security.capabilities`, files)
}

/** Returns inline values, the content of files, and the capabilities in `files` that are named by identifiers. */
async function readEntries(
  entries: readonly (URL | string | object)[],
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
    const { readFileOrDirectory } = await import('./tauri-project/project.js')
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
  const { identifier }: { identifier?: unknown } = value ?? {}
  return typeof identifier === 'string' ? identifier : undefined
}
