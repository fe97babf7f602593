// Validates the definition that a core module exports or a host passes. A mistake stops the start with an error that names it.
import { BusError, createUnknownOptionError, describeName, didYouMean } from '@sallyport/protocol/internal/errors'
import { isObject, isThenable } from '@sallyport/protocol/internal/util'
import * as v from 'valibot'
import { anyFunction, anyObject, check, listOptions, strictOptions, string } from '../shared/validate.js'
import type { CoreDefinition } from './define.js'

const common = {
  commands: v.optional(v.custom<object>(isObject, 'an object of commands by name')),
  setup: v.optional(anyFunction),
  teardown: v.optional(anyFunction),
}
const plugin = strictOptions({
  ...common,
  name: string,
  permissions: v.optional(v.array(anyObject, 'an array of permission files')),
  checkScope: v.optional(anyFunction),
  script: v.optional(string),
})
const schema = strictOptions({
  ...common,
  plugins: v.optional(v.array(plugin, 'an array of plugin(…)')),
  use: v.optional(v.array(anyFunction, 'an array of functions')),
})
const MEMBERS = Object.keys(schema.entries)

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
  const known = [...MEMBERS, ...others]
  const stray = Object.entries(definition).find(([name, value]) => isCommand(value) && !known.includes(name))
  if (stray && didYouMean(stray[0], known) === '')
    throw createUnknownOptionError(where, stray[0], ': a command stands in commands: { … }')
  check(where, schema, definition, () => [...listOptions(schema), ...others])
  return definition
}

const isCommand = (value: unknown): boolean => typeof value === 'function' || Object(value).kind === 'command'

const wrong = (text: string): BusError => new BusError('InvalidParams', text)
