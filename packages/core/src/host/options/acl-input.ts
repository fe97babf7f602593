// Gathers the input of core's authority: capabilities and permissions in the options, and in the files that they or the
// configuration name.
import { BusError } from '@sallyport/protocol/internal'
import { checkPlain } from '../../acl/schema.js'
import { type AclInput, type CapabilitySource, getPlatform, splitCapabilities } from '../../acl/types.js'
import { didYouMean } from '../../shared/suggest.js'
import { isFileLocation, toUrl } from './location.js'
import type { Project } from './project.js'
import type { ParsedOptions } from './schema.js'

/** Options with files as URLs or paths, and identifiers as strings. */
type Entries = readonly (URL | string | object)[]

type AclOptions = Pick<ParsedOptions, 'app' | 'frontends' | 'permissions' | 'unknownPermissions'>

/**
 * @throws {BusError} InvalidParams for a missing or malformed file, and for an identifier that is in none of the files
 * @internal
 */
export async function createAclInput(
  { app, frontends = {}, permissions, unknownPermissions = 'error' }: AclOptions,
  project: Project | undefined,
): Promise<AclInput> {
  const entries = app?.security?.capabilities
  const capabilities = await getCapabilities(entries, project)
  const ownFiles = permissions && (await readEntries(permissions, 'createBus: permissions'))
  const permissionFiles = ownFiles?.map(source => ({ ...source, plugin: undefined })) ?? project?.permissionFiles ?? []
  // Checked before they are cloned for core, which changes some values.
  for (const source of [...capabilities, ...permissionFiles]) checkPlain(source)
  return {
    capabilities,
    permissionFiles,
    manifests: project?.manifests,
    unknownPermissions,
    isRestricted: entries?.length === 0 || Object.values(frontends).some(({ allow }) => allow !== undefined),
    platform: getPlatform(process.platform),
  }
}

function getCapabilities(entries: Entries | undefined, project: Project | undefined): Promise<CapabilitySource[]> {
  const files = project?.capabilityFiles ?? []
  if (entries) return readEntries(entries, 'createBus: app.security.capabilities', files, true)
  const identifiers = project?.capabilities ?? []
  // Without a list Tauri uses every file.
  if (identifiers.length === 0) return Promise.resolve([...files])
  return readEntries(identifiers, `${project!.from}: app.security.capabilities`, files)
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
    const { readFileOrDirectory } = await import('./config-files.js')
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
