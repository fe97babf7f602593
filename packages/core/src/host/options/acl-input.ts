// Gathers what core makes its access-control list from.
import { BusError } from '@sallyport/protocol/internal/errors'
import { checkPlain } from '../../acl/schema.js'
import { type AclInput, type CapabilitySource, getPlatform, splitCapabilities } from '../../acl/types.js'
import { isFileLocation, toUrl } from '../../shared/locations.js'
import { didYouMean } from '../../shared/suggest.js'
import type { Project } from '../tauri-project/project.js'
import { refuseBoth } from './option-places.js'
import type { ParsedOptions } from './schema.js'

/** Options with files as URLs or paths, and identifiers as strings. */
type Entries = readonly (URL | string | object)[]

/** Gathers capabilities and permissions in the options, and in the files that they or the configuration name. */
export async function createAclInput(
  { permissions, ...options }: ParsedOptions,
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
    unknownPermissions: 'error',
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
    const { readFileOrDirectory } = await import('../tauri-project/project.js')
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
