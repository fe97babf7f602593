// All permissions and all capabilities of a bus together.
import { splitCapabilities, type AclInput, type CapabilitySource, type PermissionFileSource } from './acl.js'
import { createCatalogue } from './catalogue.js'
import { type CommandName } from './acl.js'
import { mistake } from './check.js'
import { checkSets, resolveCapability, type ResolvedCapability, type ResolveOptions } from './resolve.js'

export interface AclParts {
  acl: AclInput
  commands: Iterable<CommandName>
  /** Permissions that the core module's plugins bring. */
  pluginFiles: readonly PermissionFileSource[]
  /** Told of what `unknownPermissions: 'warn'` passes over. */
  warn: (text: string) => void
}

/** @throws BusError `InvalidParams` for whatever is wrong in permission files and manifests */
export function resolveOptionsOf({ acl, commands, pluginFiles, warn }: AclParts): ResolveOptions {
  const { unknownPermissions, platform } = acl
  const options = { catalogue: createCatalogue({ acl, commands, pluginFiles }), unknownPermissions, platform, warn }
  checkSets(options)
  return options
}

/** @throws BusError `InvalidParams` for whatever is wrong in capabilities, and for two of one identifier */
export function resolveAll(sources: readonly CapabilitySource[], options: ResolveOptions): ResolvedCapability[] {
  return inOrder(sources.flatMap(splitCapabilities).map(source => resolveCapability(source, options)))
}

/** By their identifiers, as Tauri has them, so that it does not matter which file is read first. */
export function inOrder(capabilities: readonly ResolvedCapability[]): ResolvedCapability[] {
  const known = new Map<string, ResolvedCapability>()
  for (const each of capabilities) {
    const { identifier } = each.capability
    const first = known.get(identifier)
    if (first) {
      const text = `capability with identifier \`${identifier}\` already exists: in ${first.source.from}`
      throw mistake(each.source, 'identifier', text)
    }
    known.set(identifier, each)
  }
  return [...known.values()].toSorted(({ capability: a }, { capability: b }) => (a.identifier < b.identifier ? -1 : 1))
}
