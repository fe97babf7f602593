// Is what a core module exports, or a host gives, a definition? A wrong one stops the start, with its mistake by name.
import { BusError, describeName } from '@sallyport/protocol'
import { didYouMean } from '../shared/suggest.js'
import type { CoreDefinition } from './define.js'

const MEMBERS = ['commands', 'plugins', 'use', 'setup', 'teardown']
const PLUGIN_MEMBERS = ['name', 'commands', 'permissions', 'setup', 'teardown']

/** @throws BusError `InvalidParams` */
export function getDefinition(module: { default?: unknown }, url: string): CoreDefinition {
  const { default: definition } = module
  const where = `The core module ${describeName(url)}`
  // A promise has no members, and would be a core without commands.
  if (!isObject(definition) || definition instanceof Promise)
    throw wrong(`${where} has no definition: it must \`export default defineCore({ … })\``)
  return checkDefinition(where, definition)
}

/**
 * @param others names that are right where no definition is given
 * @throws BusError `InvalidParams`
 */
export function checkDefinition(where: string, definition: object, others: readonly string[] = []): CoreDefinition {
  if (definition instanceof Promise) throw wrong(`${where} is a promise: \`await\` it`)
  if (!isObject(definition)) throw wrong(`${where} is no definition: it is made with defineCore({ … })`)
  if ('default' in definition) throw wrong(`${where} is a module: its definition is its \`default\``)
  checkMembers(where, definition, MEMBERS, others)
  const { plugins = [], use = [] } = definition
  if (!Array.isArray(use) || !use.every(each => typeof each === 'function'))
    throw wrong(`${where}: use must be a list of functions`)
  if (!Array.isArray(plugins) || !plugins.every(isObject)) throw wrong(`${where}: plugins must be a list of plugin(…)`)
  for (const plugin of plugins) {
    const { name, permissions = [] } = plugin
    if (typeof name !== 'string') throw wrong(`${where}: a plugin has no name: it is made with plugin(name, { … })`)
    const what = `${where}: plugin ${describeName(name)}`
    checkMembers(what, plugin, PLUGIN_MEMBERS)
    if (!Array.isArray(permissions) || !permissions.every(isObject))
      throw wrong(`${what}: permissions must be a list of permission files`)
  }
  return definition
}

/** What a definition and a plugin have in common, and that there is nothing else in it. */
function checkMembers(
  where: string,
  given: Record<string, unknown>,
  members: readonly string[],
  others: readonly string[] = [],
): void {
  for (const name of Object.keys(given)) {
    if (members.includes(name)) continue
    const isCommand = typeof given[name] === 'function' || Object(given[name]).kind === 'command'
    const hint = didYouMean(name, [...members, ...others]) || (isCommand ? `: a command stands in commands: { … }` : '')
    throw wrong(`${where}: unknown member ${describeName(name)}${hint}`)
  }
  if (!isObject(given['commands'] ?? {})) throw wrong(`${where}: commands must be an object of commands by name`)
  for (const name of ['setup', 'teardown']) {
    if (given[name] !== undefined && typeof given[name] !== 'function')
      throw wrong(`${where}: ${name} must be a function`)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const wrong = (text: string): BusError => new BusError('InvalidParams', text)
