import * as nodeModule from 'node:module'
import { describe, expect, test } from 'vitest'
import { isTypeScriptName, stripTypes } from './strip-types.js'

test.each([
  ['a.ts', true],
  ['lib/a.mts', true],
  ['a.d.js', false],
  ['ts', false],
  ['a.tsx', false],
])('%s is a name of TypeScript: %s', (name, is) => expect(isTypeScriptName(name)).toBe(is))

const canStrip = 'stripTypeScriptTypes' in nodeModule

describe.runIf(canStrip)('a Node that can strip types', () => {
  test.each([
    ['const a: number = 1', false, 'const a         = 1'],
    ['return 1 as number', true, 'return 1          '],
    [
      'interface A { b: string }\nreturn <T,>(x: T): T => x',
      true,
      '                         \nreturn     (x   )    => x',
    ],
    ['', true, ''],
  ])('keeps all else in its place: %j', (code, isBody, stripped) => {
    expect(stripTypes(code, isBody)).toEqual({ code: stripped })
  })

  test.each([
    ['a b', false, ':1:3'],
    ['1\n\n  a b', true, ':3:5'],
    ['a b', true, ':1:3'],
    ['enum A { B }', true, ':1:1'],
    ['if (1) {', true, ':1:9'],
  ])('finds the place of a mistake: %j', (code, isBody, position) => {
    expect(stripTypes(code, isBody)).toMatchObject({ mistake: { position } })
  })
})

test.skipIf(canStrip)('a Node that cannot strip types says what to do', () => {
  const message = expect.stringMatching(
    /^Node\.js [\d.]+ cannot remove its types\. Run the host with Node\.js 22\.13/,
  ) as string
  expect(stripTypes('', false)).toEqual({ mistake: { position: '', message } })
})
