// Explains which label may call which command, and which permission allows it. For reviews of capabilities, and for tests.
import { type CoreModule, getCommandIdentities, getPluginFiles, splitMethod } from './identifier.js'
import { getAccess, getCommandScope, isRestricted, isOpenByDefault, resolveAll, getResolveOptions } from './resolve.js'
import type { Access, Grant, ResolvedCapability } from './resolve.js'
import type { Scope } from './scope.js'
import { OPEN_COMMANDS } from './tauri-permissions.js'
import type { AclInput, Capability, CommandIdentity, Pattern } from './types.js'

export interface ExplainInput {
  acl: AclInput
  /** The core module whose commands are explained. Without it, only commands that capabilities name are known. */
  core?: CoreModule
  /** @default 'brownfield' */
  pattern?: Pattern
  /** Labels to explain. By default those that the globs of the capabilities name; a glob stands for what it matches. */
  labels?: readonly string[]
}

/** Whether one frontend can call one command, and why. */
export interface ExplainedCommand {
  /** The method: `greet`, `plugin:fs|read_file`. */
  readonly command: string
  /** `allowed` or `denied` by a capability; `open` to all frontends without one; `closed` because no capability allows it. */
  readonly access: 'allowed' | 'open' | 'denied' | 'closed'
  /** The permissions that allow or deny the command. */
  readonly by: readonly { readonly capability: string; readonly permission: string }[]
  /** The content of `ctx.scope`, or `undefined` if it is empty. */
  readonly scope: Pick<Scope, 'allow' | 'deny'> | undefined
}

/** The commands that one frontend can and cannot call. */
export interface ExplainedFrontend {
  /** The frontend's label. */
  readonly label: string
  /** Identifiers of the capabilities that apply to the label. */
  readonly capabilities: readonly string[]
  /** Every command of core. */
  readonly commands: readonly ExplainedCommand[]
  /** The content of `ctx.scope.global` by plugin. */
  readonly globalScopes: Readonly<Record<string, Pick<Scope, 'allow' | 'deny'>>>
}

/** The commands that each label can call. */
export interface Explanation {
  /** One entry for each label. */
  readonly frontends: readonly ExplainedFrontend[]
  /** Identifiers with their file or option, and whether the capability is in force on this platform. */
  readonly capabilities: readonly {
    readonly capability: Capability
    readonly from: string
    readonly isActive: boolean
  }[]
  /** Permissions that `unknownPermissions: 'warn'` ignored. */
  readonly warnings: readonly string[]
}

/** Explains who may call what, without starting anything. @throws {BusError} InvalidParams, as the start of a bus would */
export function explain({ acl, core = {}, pattern = 'brownfield', labels }: ExplainInput): Explanation {
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  const commands = getCommandIdentities(core)
  const options = getResolveOptions({ acl, commands, pluginFiles: getPluginFiles(core), warn })
  const capabilities = resolveAll(acl.capabilities, options)
  const restricted = acl.isRestricted === true || isRestricted(capabilities, options.catalogue)
  const isOpen = (command: CommandIdentity): boolean => isOpenByDefault(command, restricted, pattern)
  const openCommands = [...OPEN_COMMANDS].map(method => ({ method, owner: 'core', allow: '', deny: '' }) as const)
  const names = [...commands, ...openCommands]
  return {
    frontends: (labels ?? getLabels(capabilities)).map(label => explainFrontend(label, capabilities, names, isOpen)),
    capabilities: capabilities.map(({ capability, source, isActive }) => ({ capability, from: source.from, isActive })),
    warnings,
  }
}

/** @param names the commands to explain: those of the core module, and those that anyone can call */
export function explainFrontend(
  label: string,
  capabilities: readonly ResolvedCapability[],
  names: readonly CommandIdentity[],
  isOpen: (command: CommandIdentity) => boolean,
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
  const scope = getValues(getCommandScope(granting))
  const isEmpty = scope.allow.length + scope.deny.length === 0
  return { command, access: 'allowed', by: granting.map(toReference), scope: isEmpty ? undefined : scope }
}

const toReference = ({ capability, permission }: Grant): ExplainedCommand['by'][number] => ({ capability, permission })

const getValues = ({ allow, deny }: Scope): Pick<Scope, 'allow' | 'deny'> => ({ allow, deny })

/** Returns each glob as a label that it matches: `[ab]` becomes `a`. */
function getLabels(capabilities: readonly ResolvedCapability[]): string[] {
  const globs = capabilities.flatMap(({ capability: { windows = [], webviews = [] } }) => [...windows, ...webviews])
  return [...new Set(globs.map(glob => glob.replace(/\[([^!])[^\]]*\]/g, '$1')))].toSorted()
}

/** Renders an explanation as text: commands of each frontend, with permission and scope. */
export function renderExplanation({ frontends, capabilities, warnings }: Explanation): string {
  const idle = capabilities.filter(({ isActive }) => !isActive)
  return [
    ...frontends.map(renderFrontend),
    ...idle.map(({ capability, from }) => `not in force on this platform: ${capability.identifier} (${from})\n`),
    ...warnings.map(warning => `warning: ${warning}\n`),
  ].join('\n')
}

function renderFrontend({ label, capabilities, commands, globalScopes }: ExplainedFrontend): string {
  const shown = commands.filter(({ command, access }) => !(access === 'open' && OPEN_COMMANDS.has(command)))
  const closed = shown.filter(({ access }) => access === 'closed').map(({ command }) => command)
  const listed = shown.filter(({ access }) => access !== 'closed')
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

/** `core:default` allows a hundred commands, most of which need a screen. They share one line per plugin. */
function toTauriRows(commands: readonly ExplainedCommand[]): Row[] {
  const byPlugin = new Map<string, { names: string[]; capabilities: Set<string> }>()
  for (const { command, by } of commands) {
    const { plugin = '', name } = splitMethod(command)
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

const renderScope = ({ allow, deny }: Pick<Scope, 'allow' | 'deny'>): string =>
  Object.entries({ allow, deny })
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => ` ${name} ${JSON.stringify(values)}`)
    .join('')
