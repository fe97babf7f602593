// An explanation as a text to read: what each frontend may call, by what, and within which scope.
import { OPEN_COMMANDS } from './core-permissions.js'
import type { ScopeValues } from './entry.js'
import type { ExplainedCommand, ExplainedFrontend, Explanation } from './explain.js'

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
