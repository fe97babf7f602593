// Validates the definition that a core module exports or a host passes. A mistake stops the start with an error that names it.
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import { isThenable } from '@sallyport/protocol/internal/util'
import { didYouMean } from '../shared/suggest.js'
import { isObject } from '../shared/validate.js'
import type { CoreDefinition } from './define.js'

const MEMBERS = ['commands', 'plugins', 'use', 'setup', 'teardown']
const PLUGIN_MEMBERS = ['name', 'commands', 'permissions', 'checkScope', 'script', 'setup', 'teardown']

export function getDefinition(module: { default?: unknown }, url: string): CoreDefinition {
  const { default: definition } = module
  const where = `The core module ${describeName(url)}`
  if (typeof definition === 'function') {
    const remedy = 'Pass the definition to the result of defineCore: `defineCore<Types>()({ … })`'
    throw wrong(`${where} exports a function. ${remedy}`)
  }
  // A promise has no members, and would be a core without commands.
  if (!isObject(definition) || isThenable(definition))
    throw wrong(`${where} has no definition: it must \`export default defineCore({ … })\``)
  return checkDefinition(where, definition)
}

/** @param others option names that are valid elsewhere, for the error text */
export function checkDefinition(where: string, definition: object, others: readonly string[] = []): CoreDefinition {
  if (isThenable(definition)) throw wrong(`${where} is a promise: \`await\` it`)
  if (!isObject(definition)) throw wrong(`${where} must be a definition, made with defineCore({ … })`)
  if ('default' in definition) throw wrong(`${where} is a module: its definition is its \`default\``)
  checkMembers(where, definition, MEMBERS, others)
  const { plugins = [], use = [] } = definition
  if (!Array.isArray(use) || !use.every(each => typeof each === 'function'))
    throw wrong(`${where}: use must be an array of functions`)
  if (!Array.isArray(plugins) || !plugins.every(isObject))
    throw wrong(`${where}: plugins must be an array of plugin(…)`)
  for (const plugin of plugins) {
    const { name, permissions = [], script = '' } = plugin
    if (typeof name !== 'string') throw wrong(`${where}: a plugin has no name: it is made with plugin(name, { … })`)
    const what = `${where}: plugin ${describeName(name)}`
    checkMembers(what, plugin, PLUGIN_MEMBERS)
    if (!Array.isArray(permissions) || !permissions.every(isObject))
      throw wrong(`${what}: permissions must be an array of permission files`)
    if (plugin['checkScope'] !== undefined && typeof plugin['checkScope'] !== 'function')
      throw wrong(`${what}: checkScope must be a function`)
    if (typeof script !== 'string') throw wrong(`${what}: script must be a string, the code of a script`)
  }
  return definition
}

function checkMembers(
  where: string,
  definition: Record<string, unknown>,
  members: readonly string[],
  others: readonly string[] = [],
): void {
  for (const name of Object.keys(definition)) {
    if (members.includes(name)) continue
    const isCommand = typeof definition[name] === 'function' || Object(definition[name]).kind === 'command'
    const hint = didYouMean(name, [...members, ...others]) || (isCommand ? `: a command stands in commands: { … }` : '')
    throw wrong(`${where}: unknown member ${describeName(name)}${hint}`)
  }
  if (!isObject(definition['commands'] ?? {})) throw wrong(`${where}: commands must be an object of commands by name`)
  for (const name of ['setup', 'teardown']) {
    if (definition[name] !== undefined && typeof definition[name] !== 'function')
      throw wrong(`${where}: ${name} must be a function`)
  }
}

const wrong = (text: string): BusError => new BusError('InvalidParams', text)
