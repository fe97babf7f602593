// JSON Schemas as types of TypeScript, also hostile ones.
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { toDocComment, toLineComment, toLiteral, toSchemaType } from './schema-type.js'

test('a schema has a type', () =>
  rows<[string, unknown, string]>([
    ['no schema', undefined, 'unknown'],
    ['true', true, 'unknown'],
    ['false', false, 'never'],
    ['an integer', { type: 'integer' }, 'number'],
    ['types', { type: ['string', 'null'] }, '(string | null)'],
    ['a constant', { const: 'a' }, '"a"'],
    ['an enumeration', { enum: ['a', 1, null] }, '("a" | 1 | null)'],
    ['alternatives', { anyOf: [{ type: 'string' }, { type: 'number' }] }, '(string | number)'],
    ['an intersection', { allOf: [{ type: 'string' }, { const: 'a' }] }, '(string & "a")'],
    ['an array', { type: 'array', items: { type: 'string' } }, 'Array<string>'],
    ['a tuple', { type: 'array', prefixItems: [{ type: 'string' }], items: false }, '[string]'],
    ['a record', { type: 'object', additionalProperties: { type: 'number' } }, 'Record<string, number>'],
    ['an object', { properties: { a: { type: 'string' }, b: {} }, required: ['a'] }, '{ a: string; b?: unknown }'],
    [
      'names that are not identifiers',
      { properties: { 'a-b': {}, '1"': {} } },
      String.raw`{ "a-b"?: unknown; "1\""?: unknown }`,
    ],
    ['a reference', { $ref: '#/$defs/A', $defs: { A: { type: 'boolean' } } }, 'boolean'],
    ['a reference to nothing', { $ref: '#/constructor/name' }, 'unknown'],
    [
      'a description',
      { properties: { a: { description: 'x */ y\nz' } } },
      String.raw`{ /** x *\/ y z */ a?: unknown }`,
    ],
  ])((_, schema, type) => expect(toSchemaType(schema)).toBe(type)))

describe('hostile schemas', () => {
  test('that refer to themselves end', () => {
    expect(toSchemaType({ type: 'array', items: { $ref: '#' } })).toMatch(/^(?:Array<){5,}unknown>+$/)
  })

  test('that multiply end', () => {
    const names = Array.from({ length: 14 }, (_, index) => `d${index}`)
    const entries = names.map((name, index) => [
      name,
      { type: 'array', prefixItems: Array.from({ length: 20 }, () => ({ $ref: `#/$defs/d${index + 1}` })) },
    ])
    expect(toSchemaType({ $ref: '#/$defs/d0', $defs: Object.fromEntries(entries) as object }).length).toBeLessThan(1e6)
  })
})

test('a comment ends where it should, whatever it says', () =>
  rows(['*/ evil()', '*\n/ evil()', 'a *//* b', '\u2028*/ evil()', '**/', '/'])(text => {
    for (const comment of [toDocComment(text), toLineComment(text)]) {
      expect(comment.indexOf('*/')).toBe(comment.length - 2)
      expect(comment).not.toMatch(/[\r\u2028\u2029]/)
    }
    expect(toLineComment(text)).not.toContain('\n')
  }))

test('a literal has no line breaks of any kind', () => {
  expect(toLiteral('"\n\u2028\u2029\\')).toBe(String.raw`"\"\n\u2028\u2029\\"`)
})
