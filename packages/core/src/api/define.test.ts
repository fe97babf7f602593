// command() validates its options when it is called.
import { expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { rows } from '../../../../scripts/testing.js'
import { command, defineCore, toCommandContent } from './define.js'

it('command() names what is wrong with its arguments', () =>
  rows<[string, unknown[], string]>([
    ['a handler alone', [() => 1], 'command(): a handler alone needs none: write the function itself'],
    ['an unknown option', [{ arg: {} }, () => 1], 'command(): unknown option "arg" (did you mean "args"?)'],
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

it('a member that JSON Schema cannot say costs that member alone, and a warning names it once', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
  onTestFinished(() => void vi.restoreAllMocks())
  const day = z.object({
    when: z.date(),
    at: z.coerce.date().optional(),
    sums: z.array(z.bigint()),
    sum: z.coerce.bigint(),
    any: z.any().optional(),
  })
  const schema = z.object({ day, all: z.map(z.string(), z.number()).describe('All'), name: z.string() })
  const describe = (): unknown => toCommandContent('command "book"', { schema }).args
  const date = { type: 'string', format: 'date-time' }
  expect(describe()).toMatchObject({
    properties: {
      day: {
        properties: { when: date, at: date, sums: { type: 'array', items: {} }, sum: { type: 'integer' }, any: {} },
      },
      all: { description: 'All' },
      name: { type: 'string' },
    },
  })
  describe()
  expect(warn.mock.calls.map(([text]) => text)).toEqual([
    'The arguments of command "book": JSON Schema has no type for what is at "day.when" (date), "day.sums.items" (bigint), "all" (map). A model is told that it takes any value, and that a date is a text. Have the schema take what JSON has, as z.coerce.date() does.',
  ])
})
