// Validation of a core module's export: mistakes are named, with the nearest right name.
import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { defineCore } from './define.js'
import { getDefinition } from './validate-definition.js'

const of = (definition: unknown): unknown => getDefinition({ default: definition }, 'file:///core.js')

it('names what is wrong with a definition', () =>
  rows<[string, object, RegExp]>([
    ['a member', { setupp: 1 }, /unknown member "setupp" \(did you mean "setup"\?\)$/],
    ['a promise of one', Promise.resolve({}), /has no definition/],
    ['use', { use: () => {} }, /use must be an array of functions$/],
    ['one of use', { use: [() => {}, 5] }, /use must be an array of functions$/],
    ['teardown', { teardown: 5 }, /teardown must be a function$/],
    ['a plugin without a name', { plugins: [{}] }, /a plugin has no name: it is made with plugin\(name, { … }\)$/],
    [
      'a member of a plugin',
      { plugins: [{ name: 'fs', command: {} }] },
      /plugin "fs": unknown member "command" \(did you mean "commands"\?\)$/,
    ],
    ['commands of a plugin', { plugins: [{ name: 'fs', commands: [] }] }, /plugin "fs": commands must be an object/],
    ["a plugin's setup", { plugins: [{ name: 'fs', setup: 5 }] }, /plugin "fs": setup must be a function$/],
    [
      'permissions of a plugin',
      { plugins: [{ name: 'fs', permissions: {} }] },
      /plugin "fs": permissions must be an array of permission files$/,
    ],
    ["a plugin's script", { plugins: [{ name: 'fs', script: () => {} }] }, /plugin "fs": script must be a string/],
  ])((_name, definition, message) => expect(() => of(definition)).toThrow(message)))

it('a complete definition is returned unchanged', () => {
  const nothing = (): void => {}
  const plugin = { name: 'fs', commands: {}, permissions: [{}], setup: nothing, teardown: nothing }
  const definition = { commands: {}, plugins: [plugin], use: [nothing], setup: nothing, teardown: nothing }
  expect(of(definition)).toBe(definition)
})

it('a core that lacks the second call of defineCore is named', () => {
  const remedy = 'Pass the definition to the result of defineCore: `defineCore<Types>()({ … })`'
  expect(() => getDefinition({ default: defineCore() }, 'file:///core.js')).toThrow(
    `The core module "file:///core.js" exports a function. ${remedy}`,
  )
})
