// Explains which label may call which command, and which permission allows it. For reviews of capabilities, and for tests.
import { type CoreModule, getCommandIdentities, getPluginFiles, getScopeChecks, splitMethod } from './identifier.js'
import {
  type Access,
  createBuiltIns,
  getAccess,
  getCommandScope,
  getResolveOptions,
  type Grant,
  resolveAll,
  type ResolvedCapability,
} from './resolve.js'
import { type AclInput, BUILT_IN, type Capability, type CommandIdentity, type Scope } from './types.js'

export interface ExplainInput {
  acl: AclInput
  /** The core module whose commands are explained. Without it, only commands that capabilities name are known. */
  core?: CoreModule
  /** Labels to explain. By default those that the globs of the capabilities name; a glob stands for what it matches. */
  labels?: readonly string[]
}

/** Whether one frontend can call one command, and why. */
export interface ExplainedCommand {
  /** The method: `greet`, `plugin:fs|read_file`. */
  readonly command: string
  /** `allowed` or `denied` by a capability, or `closed` because no capability allows it. */
  readonly access: 'allowed' | 'denied' | 'closed'
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
  /** Permissions that are ignored: they are of plugins that this core does not have. */
  readonly warnings: readonly string[]
}

/** Explains what capabilities allow sandboxed code, without starting anything. @throws {BusError} InvalidParams, as the start of a bus would */
export function explain({ acl, core = {}, labels }: ExplainInput): Explanation {
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  const commands = getCommandIdentities(core)
  const options = getResolveOptions({
    acl,
    commands,
    pluginFiles: getPluginFiles(core),
    scopeChecks: getScopeChecks(core),
    warn,
  })
  const capabilities = resolveAll(acl.capabilities, options)
  const all = [...createBuiltIns(acl, options).everyone, ...capabilities]
  return {
    frontends: (labels ?? getLabels(capabilities)).map(label => explainFrontend(label, all, commands)),
    capabilities: capabilities.map(({ capability, source, isActive }) => ({ capability, from: source.from, isActive })),
    warnings,
  }
}

/** @param names - the commands to explain, in addition to those that capabilities allow or deny */
export function explainFrontend(
  label: string,
  capabilities: readonly ResolvedCapability[],
  names: readonly CommandIdentity[],
): ExplainedFrontend {
  const access = getAccess(label, capabilities)
  const methods = new Set([...names.map(({ method }) => method), ...access.allowed.keys(), ...access.denied.keys()])
  const named = capabilities.filter(each => each.holdsFor(label) && each.source.from !== BUILT_IN)
  return {
    label,
    capabilities: named.map(({ capability }) => capability.identifier),
    commands: [...methods].toSorted().map(command => explainCommand(command, access)),
    globalScopes: Object.fromEntries([...access.global].map(([key, scope]) => [key, getValues(scope)])),
  }
}

function explainCommand(command: string, { allowed, denied }: Access): ExplainedCommand {
  const [refusing, granting] = [denied.get(command), allowed.get(command) ?? []]
  if (refusing) return { command, access: 'denied', by: refusing.map(toReference), scope: undefined }
  if (granting.length === 0) return { command, access: 'closed', by: [], scope: undefined }
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

export function renderExplanation({ frontends, capabilities, warnings }: Explanation): string {
  const idle = capabilities.filter(({ isActive }) => !isActive)
  return [
    ...frontends.map(renderFrontend),
    ...idle.map(({ capability, from }) => `not in force on this platform: ${capability.identifier} (${from})\n`),
    ...warnings.map(warning => `warning: ${warning}\n`),
  ].join('\n')
}

function renderFrontend({ label, capabilities, commands, globalScopes }: ExplainedFrontend): string {
  const isOfAll = ({ access, by }: ExplainedCommand): boolean =>
    access === 'allowed' && by.every(({ capability }) => capability === BUILT_IN)
  const shown = commands.filter(each => !isOfAll(each))
  const closed = shown.filter(({ access }) => access === 'closed').map(({ command }) => command)
  const listed = shown.filter(({ access }) => access !== 'closed')
  const rows = [...listed.filter(each => !isOfTauri(each)).map(toRow), ...toTauriRows(listed.filter(isOfTauri))]
  const width = Math.max(...rows.map(([command]) => command.length))
  const lines = [
    ...rows.map(([command, access, what]) => `${command.padEnd(width)}  ${access.padEnd(7)}  ${what}`.trimEnd()),
    ...Object.entries(globalScopes).map(([key, scope]) => `global scope of ${key}:${renderScope(scope)}`),
    ...(closed.length > 0 ? [`closed: ${closed.join(', ')}`] : []),
    'allowed to all: the defaults of core:event, core:app and core:resources',
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
