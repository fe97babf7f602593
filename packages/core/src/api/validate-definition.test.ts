// Validation of a core module's export: mistakes are named, with the nearest right name.
import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { defineCore } from './define.js'
import { getDefinition } from './validate-definition.js'

const of = (definition: unknown): unknown => getDefinition({ default: definition }, 'file:///core.js')

it('names what is wrong with a definition', () =>
  rows<[string, object, RegExp]>([
    ['a member', { setupp: 1 }, /unknown option "setupp" \(did you mean "setup"\?\)$/],
    ['a promise of one', Promise.resolve({}), /has no definition/],
    ['use', { use: () => {} }, /use must be an array of functions: got Function$/],
    ['one of use', { use: [() => {}, 5] }, /use\[1\] must be a function: got 5$/],
    ['teardown', { teardown: 5 }, /teardown must be a function: got 5$/],
    ['a plugin without a name', { plugins: [{}] }, /plugins\[0\]\.name is missing$/],
    [
      'a member of a plugin',
      { plugins: [{ name: 'fs', command: {} }] },
      /unknown option "plugins\[0\]\.command" \(did you mean "commands"\?\)$/,
    ],
    [
      'commands of a plugin',
      { plugins: [{ name: 'fs', commands: [] }] },
      /plugins\[0\]\.commands must be an object of commands by name: got Array$/,
    ],
    ["a plugin's setup", { plugins: [{ name: 'fs', setup: 5 }] }, /plugins\[0\]\.setup must be a function: got 5$/],
    [
      'permissions of a plugin',
      { plugins: [{ name: 'fs', permissions: {} }] },
      /plugins\[0\]\.permissions must be an array of permission files: got Object$/,
    ],
    [
      "a plugin's script",
      { plugins: [{ name: 'fs', script: () => {} }] },
      /plugins\[0\]\.script must be a string: got Function$/,
    ],
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
