// The place and the message of a syntax error in the body of an async function.
import * as nodeModule from 'node:module'
import { afterEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { findBodyError, isTypeScriptName, stripTypes } from './code-text.js'

test('finds none in a whole body', () =>
  rows(['', 'return 1 // end', 'return await 1', 'if (1) {\n}\n', 'const body = () => {\n}', 'return {}', '{}'])(body =>
    expect(findBodyError(body)).toBe(undefined),
  ))

test('has the place of a mistake, the end of what stays open, or where a body leaves its function', () =>
  rows([
    ['a b', ':1:3', "Unexpected identifier 'b'"],
    ['1\n  a b', ':2:5', "Unexpected identifier 'b'"],
    ['f(1', ':1:3', 'missing ) after argument list'],
    ['if (1) {', ':1:9', 'Unexpected end of input'],
    ['if (1) {\n  f(', ':2:5', 'Unexpected end of input'],
    ['return (', ':1:9', 'Unexpected end of input'],
    ['const x = [1,\n', ':2:1', 'Unexpected end of input'],
    ['`text', ':1:6', 'Unexpected end of input'],
    ['const f = () => {\n  return {\n}', ':3:2', 'Unexpected end of input'],
    ['}', ':1:1', "Unexpected token '}'"],
    ['if (1) {\n}}\n', ':2:2', "Unexpected token '}'"],
    ['return 1 }, async () => { return 2', ':1:11', "Unexpected token ','"],
    ['return 1 }); (async () => { return 2', ':1:11', "Unexpected token ')'"],
    ['return 1\n}\nasync function other() { return 2', ':3:1', "Unexpected token 'async'"],
  ])((body, position, message) => expect(findBodyError(body)).toEqual({ position, message })))

test('knows the names of TypeScript', () =>
  rows({ 'a.ts': true, 'lib/a.mts': true, 'a.d.js': false, ts: false, 'a.tsx': false })((is, name) =>
    expect(isTypeScriptName(name)).toBe(is),
  ))

afterEach(() => vi.restoreAllMocks())

/** Lets Node have no function for it. @param createRequire - what loads amaro */
const useOlderNode = (createRequire: unknown = nodeModule.createRequire): unknown =>
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ createRequire } as never)

const ways: [name: string, use: () => unknown][] = [['amaro', () => useOlderNode()]]
if ('stripTypeScriptTypes' in nodeModule) ways.push(['Node', () => {}])

test('keeps all else in its place', () =>
  rows([
    ['const a: number = 1', false, 'const a         = 1'],
    ['return 1 as number', true, 'return 1          '],
    [
      'interface A { b: string }\nreturn <T,>(x: T): T => x',
      true,
      '                         \nreturn     (x   )    => x',
    ],
    ['', true, ''],
  ])((code, isBody, stripped) => {
    for (const [way, use] of ways) {
      use()
      expect(stripTypes(code, isBody), way).toEqual({ code: stripped })
      vi.restoreAllMocks()
    }
  }))

test('finds the place of a mistake', () =>
  rows([
    ['a b', false, ':1:3'],
    ['1\n\n  a b', true, ':3:5'],
    ['a b', true, ':1:3'],
    ['enum A { B }', true, ':1:1'],
    ['if (1) {', true, ':1:9'],
  ])((code, isBody, position) => {
    for (const [way, use] of ways) {
      use()
      expect(stripTypes(code, isBody), way).toMatchObject({ mistake: { position } })
      vi.restoreAllMocks()
    }
  }))

test('an older Node without amaro says what to do', () => {
  useOlderNode(() => () => {
    throw new Error('not found')
  })
  const message = expect.stringMatching(
    /^Node\.js [\d.]+ cannot remove its types\. Run the host with Node\.js 22\.13 or later, install the package amaro/,
  ) as string
  expect(stripTypes('', false)).toEqual({ mistake: { position: '', message } })
})
