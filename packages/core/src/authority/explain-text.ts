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
  const width = Math.max(...listed.map(({ command }) => command.length))
  const lines = [
    ...listed.map(each => renderCommand(each, width)),
    ...Object.entries(globalScopes).map(([key, scope]) => `global scope of ${key}:${renderScope(scope)}`),
    ...(closed.length > 0 ? [`closed: ${closed.join(', ')}`] : []),
    'open to all: the defaults of core:event, core:path, core:app and core:resources',
  ]
  return [`${label} (${capabilities.join(', ') || 'no capability'})`, ...lines.map(line => `  ${line}`), ''].join('\n')
}

function renderCommand({ command, access, by, scope }: ExplainedCommand, width: number): string {
  const references = [...new Set(by.map(({ capability, permission }) => `${capability}: ${permission}`))]
  const text = `${command.padEnd(width)}  ${access.padEnd(7)}  ${references.join(', ')}`.trimEnd()
  return scope ? text + renderScope(scope) : text
}

const renderScope = ({ allow, deny }: ScopeValues): string =>
  [
    ['allow', allow],
    ['deny', deny],
  ]
    .filter(([, values]) => values!.length > 0)
    .map(([name, values]) => ` ${String(name)} ${JSON.stringify(values)}`)
    .join('')
