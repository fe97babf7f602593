// Gathers what core makes its authority from: what the options hold, and what stands in the files that they or the
// configuration name. Who may call what is core's to say.
import { BusError } from '@sallyport/protocol'
import { checkPlain } from '../../acl/schema.js'
import {
  type AclInput,
  type AclSource,
  type CapabilitySource,
  type PermissionFileSource,
  getPlatform,
  splitCapabilities,
} from '../../acl/types.js'
import { didYouMean } from '../../shared/suggest.js'
import { isFileLocation, toUrl } from './location.js'
import type { Project } from './project.js'
import type { CheckedOptions } from './schema.js'

type AclOptions = Pick<CheckedOptions, 'app' | 'permissions' | 'unknownPermissions'>

/** @throws BusError `InvalidParams` for a file that is not there or can't be parsed, and an identifier that no file has. */
export async function createAclInput(options: AclOptions, project: Project | undefined): Promise<AclInput> {
  const { permissions, unknownPermissions = 'error' } = options
  const capabilities = await getCapabilities(options, project)
  const permissionFiles = permissions ? await getPermissionFiles(permissions) : (project?.permissionFiles ?? [])
  // Before they are cloned on their way to core, which makes something else of some values.
  for (const source of [...capabilities, ...permissionFiles]) checkPlain(source)
  return {
    capabilities,
    permissionFiles,
    manifests: project?.manifests,
    unknownPermissions,
    platform: getPlatform(process.platform),
  }
}

async function getCapabilities({ app }: AclOptions, project: Project | undefined): Promise<CapabilitySource[]> {
  const files = project?.capabilityFiles ?? []
  const given = app?.security?.capabilities
  if (given) return getSources(given, 'createBus: app.security.capabilities', files)
  const named = project?.capabilities ?? []
  // Tauri's rule: without a list, all that stand in files.
  if (named.length === 0) return [...files]
  return getSources(named, `${project!.from}: app.security.capabilities`, files)
}

async function getSources(
  entries: readonly (URL | string | object)[],
  list: string,
  files: readonly CapabilitySource[],
): Promise<CapabilitySource[]> {
  const sources = await Promise.all(
    entries.map(async (entry, index): Promise<CapabilitySource[]> => {
      const from = `${list}[${index}]`
      if (isFileLocation(entry)) return readSources(from, entry)
      return typeof entry === 'string' ? named(entry, from, files) : [{ value: entry, from }]
    }),
  )
  return sources.flat()
}

/** All of that name: that there is one alone is for core to see, wherever they stand. */
function named(identifier: string, from: string, files: readonly CapabilitySource[]): CapabilitySource[] {
  const identified = files.flatMap(splitCapabilities).map(source => ({ source, id: getIdentifier(source) }))
  const found = identified.filter(({ id }) => id === identifier).map(({ source }) => source)
  if (found.length > 0) return found
  const known = identified.flatMap(({ id }) => id ?? [])
  const hint =
    (/[\\/]/.test(identifier) ? ' (the path of a file or folder must be absolute)' : didYouMean(identifier, known)) ||
    ` (there ${known.length > 0 ? `are ${known.map(id => JSON.stringify(id)).join(', ')}` : 'are none'})`
  throw new BusError('InvalidParams', `${from}: no file of capabilities has ${JSON.stringify(identifier)}${hint}`)
}

function getIdentifier({ value }: CapabilitySource): string | undefined {
  const { identifier } = (value ?? {}) as { identifier?: unknown }
  return typeof identifier === 'string' ? identifier : undefined
}

async function getPermissionFiles(entries: readonly (URL | string | object)[]): Promise<PermissionFileSource[]> {
  const sources = await Promise.all(
    entries.map(async (entry, index): Promise<AclSource[]> => {
      const from = `createBus: permissions[${index}]`
      return isFileLocation(entry) ? readSources(from, entry) : [{ value: entry, from }]
    }),
  )
  return sources.flat().map(source => ({ ...source, plugin: undefined }))
}

async function readSources(what: string, given: URL | string): Promise<AclSource[]> {
  const { readFileOrFolder } = await import('./config-files.js')
  return readFileOrFolder(what, given instanceof URL ? given : toUrl(given))
}
