// command() validates its options when it is called.
import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { command, defineCore } from './define.js'

it('command() names what is wrong with its arguments', () =>
  rows<[string, unknown[], string]>([
    ['a handler alone', [() => 1], 'command(): a handler alone needs none: write the function itself'],
    [
      'an unknown option',
      [{ arg: {} }, () => 1],
      'command(): no option "arg": it takes description, args (a schema), result and thread',
    ],
    [
      'an invalid schema',
      [{ args: { name: String } }, () => 1],
      'command(): args must be a Standard Schema, such as z.object({ … }) of zod',
    ],
    ['a thread that is not a URL', [{ thread: './heavy.js' }], 'command(): thread must be a URL'],
    ['both', [{ thread: new URL(import.meta.url) }, () => 1], 'command(): either a handler or a thread, not both'],
  ])((_name, options, message) =>
    expect(() => (command as (...all: unknown[]) => unknown)(...options)).toThrow(message),
  ))

it('defineCore without a definition returns defineCore, for a core with types', () => {
  const definition = { commands: { add: ({ a, b }: { a: number; b: number }) => a + b } }
  expect(defineCore<{ events: { done: number } }>()(definition)).toBe(definition)
})
