// Who may call what, and by what: for people who review capabilities, and for tests that hold them to what was agreed.
import type { ScopeValues } from './expand.js'
import { getCommandNames, type CoreModule, getPluginFiles } from './identifier.js'
import {
  type Access,
  getAccess,
  commandScope,
  type Grant,
  isRestricted,
  getDefaultPolicy,
  resolveAll,
  type ResolvedCapability,
  getResolveOptions,
} from './resolve.js'
import type { Scope } from './scope.js'
import { OPEN_COMMANDS } from './tauri-permissions.js'
import type { AclInput, Capability, CommandName, Pattern } from './types.js'

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
  const commands = getCommandNames(core)
  const options = getResolveOptions({
    acl,
    commands,
    pluginFiles: getPluginFiles(core),
    warn: text => void warnings.push(text),
  })
  const capabilities = resolveAll(acl.capabilities, options)
  const isOpen = getDefaultPolicy(isRestricted(capabilities, options.catalogue), pattern)
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
  const access = getAccess(label, capabilities)
  const open = new Set(names.filter(isOpen).map(({ method }) => method))
  const methods = new Set([...names.map(({ method }) => method), ...access.allowed.keys(), ...access.denied.keys()])
  return {
    label,
    capabilities: capabilities.filter(each => each.holdsFor(label)).map(({ capability }) => capability.identifier),
    commands: [...methods].toSorted().map(command => explainCommand(command, access, open.has(command))),
    globalScopes: Object.fromEntries([...access.global].map(([key, scope]) => [key, getValues(scope)])),
  }
}

function explainCommand(command: string, { allowed, denied }: Access, isOpen: boolean): ExplainedCommand {
  const [refusing, granting] = [denied.get(command), allowed.get(command) ?? []]
  if (refusing) return { command, access: 'denied', by: refusing.map(toReference), scope: undefined }
  if (granting.length === 0) return { command, access: isOpen ? 'open' : 'closed', by: [], scope: undefined }
  const scope = getValues(commandScope(granting))
  const isEmpty = scope.allow.length + scope.deny.length === 0
  return { command, access: 'allowed', by: granting.map(toReference), scope: isEmpty ? undefined : scope }
}

const toReference = ({ capability, permission }: Grant): ExplainedCommand['by'][number] => ({ capability, permission })

const getValues = ({ allow, deny }: Scope): ScopeValues => ({ allow, deny })

const coreCommands = (): CommandName[] =>
  [...OPEN_COMMANDS].map(method => ({ method, owner: 'core', allow: '', deny: '' }))

/** A glob matches itself, but for its classes: `[ab]` becomes `a`. */
function labelsIn(capabilities: readonly ResolvedCapability[]): string[] {
  const globs = capabilities.flatMap(({ capability: { windows = [], webviews = [] } }) => [...windows, ...webviews])
  return [...new Set(globs.map(glob => glob.replace(/\[([^!])[^\]]*\]/g, '$1')))].toSorted()
}

// An explanation as a text to read: what each frontend may call, by what, and within which scope.

export function renderExplanation({ frontends, capabilities, warnings }: Explanation): string {
  const idle = capabilities.filter(({ isActive }) => !isActive)
  return [
    ...frontends.map(renderFrontend),
    ...idle.map(({ capability, from }) => `not in force on this platform: ${capability.identifier} (${from})\n`),
    ...warnings.map(warning => `warning: ${warning}\n`),
  ].join('\n')
}

function renderFrontend({ label, capabilities, commands, globalScopes }: ExplainedFrontend): string {
  const own = commands.filter(({ command, access }) => !(access === 'open' && OPEN_COMMANDS.has(command)))
  const closed = own.filter(({ access }) => access === 'closed').map(({ command }) => command)
  const listed = own.filter(({ access }) => access !== 'closed')
  const rows = [...listed.filter(each => !isOfTauri(each)).map(toRow), ...toTauriRows(listed.filter(isOfTauri))]
  const width = Math.max(...rows.map(([command]) => command.length))
  const lines = [
    ...rows.map(([command, access, what]) => `${command.padEnd(width)}  ${access.padEnd(7)}  ${what}`.trimEnd()),
    ...Object.entries(globalScopes).map(([key, scope]) => `global scope of ${key}:${renderScope(scope)}`),
    ...(closed.length > 0 ? [`closed: ${closed.join(', ')}`] : []),
    'open to all: the defaults of core:event, core:path, core:app and core:resources',
  ]
  return [`${label} (${capabilities.join(', ') || 'no capability'})`, ...lines.map(line => `  ${line}`), ''].join('\n')
}

type Row = [command: string, access: string, what: string]

function toRow({ command, access, by, scope }: ExplainedCommand): Row {
  const references = [...new Set(by.map(({ capability, permission }) => `${capability}: ${permission}`))]
  return [command, access, references.join(', ') + (scope ? renderScope(scope) : '')]
}

/** `core:default` allows a hundred commands, most of which mean nothing without a screen: one line for each plugin. */
function toTauriRows(commands: readonly ExplainedCommand[]): Row[] {
  const byPlugin = new Map<string, { names: string[]; capabilities: Set<string> }>()
  for (const { command, by } of commands) {
    const [plugin, name] = command.slice('plugin:'.length).split('|') as [string, string]
    const row = byPlugin.get(plugin) ?? { names: [], capabilities: new Set() }
    byPlugin.set(plugin, row)
    row.names.push(name)
    for (const { capability } of by) row.capabilities.add(capability)
  }
  return [...byPlugin].map(([plugin, { names, capabilities }]) => [
    `core:${plugin}`,
    'allowed',
    `${[...capabilities].join(', ')}: ${names.join(', ')}`,
  ])
}

const isOfTauri = ({ access, by, scope }: ExplainedCommand): boolean =>
  access === 'allowed' && scope === undefined && by.every(({ permission }) => permission.startsWith('core:'))

const renderScope = ({ allow, deny }: ScopeValues): string =>
  [
    ['allow', allow],
    ['deny', deny],
  ]
    .filter(([, values]) => values!.length > 0)
    .map(([name, values]) => ` ${String(name)} ${JSON.stringify(values)}`)
    .join('')
