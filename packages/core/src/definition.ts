// Is what a core module exports a definition? A wrong one stops the start, with its mistake by name.
import { BusError, describeName } from '@sallyport/protocol'
import type { CoreDefinition } from './define.js'
import { didYouMean } from './guess.js'

const MEMBERS = ['commands', 'plugins', 'setup']

/** @throws BusError `InvalidParams` */
export function definitionOf(module: { default?: unknown }, url: string): CoreDefinition {
  const { default: definition } = module
  const where = `The core module ${describeName(url)}`
  if (!isObject(definition)) throw wrong(`${where} has no definition: it must \`export default defineCore({ … })\``)
  for (const name of Object.keys(definition)) {
    if (!MEMBERS.includes(name))
      throw wrong(`${where}: unknown member ${describeName(name)}${didYouMean(name, MEMBERS)}`)
  }
  const { commands = {}, plugins = [], setup } = definition
  if (!isObject(commands)) throw wrong(`${where}: commands must be an object of commands by name`)
  if (!Array.isArray(plugins) || !plugins.every(isObject)) throw wrong(`${where}: plugins must be a list of plugin(…)`)
  if (setup !== undefined && typeof setup !== 'function') throw wrong(`${where}: setup must be a function`)
  return definition
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const wrong = (text: string): BusError => new BusError('InvalidParams', text)
