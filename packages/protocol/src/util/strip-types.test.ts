import * as nodeModule from 'node:module'
import { afterEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { isTypeScriptName, stripTypes } from './strip-types.js'

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
