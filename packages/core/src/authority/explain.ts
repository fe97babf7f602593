// Who may call what, and by what: for people who review capabilities, and for tests that hold them to what was agreed.
import { accessOf, commandScope, type Access, type Grant } from './access.js'
import type { AclInput } from './acl.js'
import type { Capability, Pattern } from './capability.js'
import type { CommandName } from './acl.js'
import { commandNamesOf, pluginFilesOf, type CoreModule } from './core-module.js'
import { OPEN_COMMANDS } from './core-permissions.js'
import type { ScopeValues } from './entry.js'
import { isDecided, opennessOf } from './openness.js'
import { resolveAll, resolveOptionsOf } from './resolve-all.js'
import type { ResolvedCapability } from './resolve.js'
import type { Scope } from './scope.js'

export interface ExplainInput {
  acl: AclInput
  /** The core whose commands they are; without it, only what capabilities name is known. */
  core?: CoreModule
  /** `brownfield` by default. */
  pattern?: Pattern
  /** Whose rights; without them, those that the globs of the capabilities name, a glob standing for what it matches. */
  labels?: readonly string[]
}

/**
 * `allowed` by a capability; `open` to all frontends, without one; `denied` by a capability; `closed`, since none allows it.
 */
export type AccessKind = 'allowed' | 'open' | 'denied' | 'closed'

export interface ExplainedCommand {
  /** As it is called: `greet`, `plugin:fs|read_file`. */
  readonly command: string
  readonly access: AccessKind
  /** What allows it, or denies it. */
  readonly by: readonly { readonly capability: string; readonly permission: string }[]
  /** What `ctx.scope` holds; none where it is empty. */
  readonly scope: ScopeValues | undefined
}

export interface ExplainedFrontend {
  readonly label: string
  /** Those that hold for it. */
  readonly capabilities: readonly string[]
  readonly commands: readonly ExplainedCommand[]
  /** What `ctx.scope.global` holds, by plugin. */
  readonly globalScopes: Readonly<Record<string, ScopeValues>>
}

export interface Explanation {
  readonly frontends: readonly ExplainedFrontend[]
  /** By identifier, with the file or option it stands in, and whether it is in force on this platform. */
  readonly capabilities: readonly {
    readonly capability: Capability
    readonly from: string
    readonly isActive: boolean
  }[]
  /** What `unknownPermissions: 'warn'` has passed over. */
  readonly warnings: readonly string[]
}

/**
 * Says who may call what, without starting anything.
 *
 * @throws BusError `InvalidParams` for what would stop a bus from starting
 */
export function explain({ acl, core = {}, pattern = 'brownfield', labels }: ExplainInput): Explanation {
  const warnings: string[] = []
  const commands = commandNamesOf(core)
  const options = resolveOptionsOf({
    acl,
    commands,
    pluginFiles: pluginFilesOf(core),
    warn: text => void warnings.push(text),
  })
  const capabilities = resolveAll(acl.capabilities, options)
  const isOpen = opennessOf(isDecided(capabilities, options.catalogue), pattern)
  const names = [...commands, ...coreCommands()]
  return {
    frontends: (labels ?? labelsIn(capabilities)).map(label => explainFrontend(label, capabilities, names, isOpen)),
    capabilities: capabilities.map(({ capability, source, isActive }) => ({ capability, from: source.from, isActive })),
    warnings,
  }
}

/** @param names the commands that there are, and all that are open */
export function explainFrontend(
  label: string,
  capabilities: readonly ResolvedCapability[],
  names: readonly CommandName[],
  isOpen: (command: CommandName) => boolean,
): ExplainedFrontend {
  const access = accessOf(label, capabilities)
  const open = new Set(names.filter(isOpen).map(({ method }) => method))
  const methods = new Set([...names.map(({ method }) => method), ...access.allowed.keys(), ...access.denied.keys()])
  return {
    label,
    capabilities: capabilities.filter(each => each.holdsFor(label)).map(({ capability }) => capability.identifier),
    commands: [...methods].toSorted().map(command => explainCommand(command, access, open.has(command))),
    globalScopes: Object.fromEntries([...access.global].map(([key, scope]) => [key, valuesOf(scope)])),
  }
}

function explainCommand(command: string, { allowed, denied }: Access, isOpen: boolean): ExplainedCommand {
  const [refusing, granting] = [denied.get(command), allowed.get(command) ?? []]
  if (refusing) return { command, access: 'denied', by: refusing.map(toReference), scope: undefined }
  if (granting.length === 0) return { command, access: isOpen ? 'open' : 'closed', by: [], scope: undefined }
  const scope = valuesOf(commandScope(granting))
  const isEmpty = scope.allow.length + scope.deny.length === 0
  return { command, access: 'allowed', by: granting.map(toReference), scope: isEmpty ? undefined : scope }
}

const toReference = ({ capability, permission }: Grant): ExplainedCommand['by'][number] => ({ capability, permission })

const valuesOf = ({ allow, deny }: Scope): ScopeValues => ({ allow, deny })

const coreCommands = (): CommandName[] =>
  [...OPEN_COMMANDS].map(method => ({ method, owner: 'core', allow: '', deny: '' }))

/** A glob matches itself, but for its classes: `[ab]` becomes `a`. */
function labelsIn(capabilities: readonly ResolvedCapability[]): string[] {
  const globs = capabilities.flatMap(({ capability: { windows = [], webviews = [] } }) => [...windows, ...webviews])
  return [...new Set(globs.map(glob => glob.replace(/\[([^!])[^\]]*\]/g, '$1')))].toSorted()
}
