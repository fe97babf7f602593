// Rows follow the documentation of Rust's `glob` crate: `Pattern`, and `MatchOptions` as Tauri's fs sets them.
import { describe, expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { foldCase, Glob, splitNames } from './glob.js'

type Rows = readonly (readonly [pattern: string, matching: readonly string[], different: readonly string[]])[]

/** With hidden dotfiles and exact case, as an allow on Linux. */
const ROWS: Rows = [
  // Literals.
  ['/a', ['/a'], ['/a/', '/b', '/A', '/a/b', '/aa', 'a']],
  ['/a/b.c', ['/a/b.c'], ['/a/bxc', '/a/b.cc']],
  ['/a/', ['/a/'], ['/a', '/a/b']],
  ['/', ['/'], ['/a', '']],
  ['/+($)^|.x', ['/+($)^|.x'], ['/++', '/x']],
  // `?`: one character within a name.
  ['/?', ['/a', '/ä', '/😀', '/\n'], ['/', '/ab', '//', '/.']],
  ['/a?c', ['/abc', '/a.c'], ['/ac', '/a/c', '/abbc']],
  ['/??', ['/ab', '/a.'], ['/a', '/.a', '/abc']],
  // `*`: any characters within a name.
  ['/*', ['/a', '/abc', '/a.b', '/x\ny', '/'], ['/a/b', '/.a', 'a']],
  ['/a*', ['/a', '/abc', '/a.b'], ['/b', '/a/b', '/.a']],
  ['/*.txt', ['/a.txt', '/a.b.txt'], ['/a.md', '/.txt', '/a/b.txt', '/.a.txt']],
  ['/a/*/b', ['/a/x/b'], ['/a/b', '/a/x/y/b', '/a/.x/b']],
  ['/a*b*c', ['/abc', '/axbxc', '/abbbcc', '/a\nbc'], ['/acb', '/ab', '/a/b/c']],
  ['/a*a*a*b', ['/aaab', '/axaxaxb'], ['/aab', '/aaa']],
  ['/.*', ['/.a', '/.'], ['/a', '/a.b']],
  // `**`: any number of names, as a whole component.
  ['/a/**', ['/a/b', '/a/b/c', '/a/x\ny', '/a/b/c.d'], ['/a', '/ab', '/b/a', '/a/.b', '/a/b/.c', '/a/.b/c']],
  ['/a/**/', ['/a/b', '/a/b/c'], ['/a']],
  ['/**', ['/a', '/a/b'], ['/.a', '/a/.b']],
  ['**', ['a', '/a', 'a/b'], ['.a', 'a/.b']],
  ['/a/**/b', ['/a/b', '/a/x/b', '/a/x/y/b', '/a/b/b'], ['/a', '/a/bb', '/a/x/bc', '/a/.x/b', '/b']],
  ['/**/b', ['/b', '/a/b', '/a/a/b'], ['/a', '/b/a', '/.a/b']],
  ['/a/**/b/**/c', ['/a/b/c', '/a/x/b/y/c', '/a/b/b/c/c'], ['/a/c', '/a/c/b', '/a/b/cc']],
  ['/a/**/**/b', ['/a/b', '/a/x/y/b'], ['/a']],
  ['/a/**/*', ['/a/b', '/a/b/c'], ['/a', '/a/.b']],
  ['/a/**/*.txt', ['/a/b.txt', '/a/b/c.txt'], ['/a/.txt', '/a/b.md']],
  ['/**/.x/b', ['/a/.x/b'], ['/.a/.x/b', '/a/.x/c']],
  ['/a/**/.git', ['/a/.git', '/a/b/.git'], ['/a/.c/.git', '/a/git']],
  // `[…]`: one character of a class within a name.
  ['/[ab]', ['/a', '/b'], ['/c', '/ab', '/', '/A']],
  ['/[a-c]x', ['/ax', '/cx'], ['/dx', '/-x', '/Bx']],
  ['/[!ab]', ['/c', '/!', '/\n'], ['/a', '/b', '/', '/.']],
  ['/x[!a-c]', ['/xd', '/x.'], ['/xa', '/x', '/x/']],
  ['/[]]', ['/]'], ['/[', '/a']],
  ['/[!]]', ['/a', '/['], ['/]']],
  ['/[]a]', ['/]', '/a'], ['/b']],
  ['/[a-]', ['/a', '/-'], ['/b']],
  ['/[-a]', ['/a', '/-'], ['/b']],
  ['/x[.]y', ['/x.y'], ['/xxy']],
  ['/[.]a', [], ['/.a', '/a']],
  ['/[^a]', ['/^', '/a'], ['/b']],
  ['/?[!x-z][]-]', ['/éa-', '/éa]'], ['/éx-', '/.a-']],
  ['/[*]', ['/*'], ['/a', '/']],
  ['/[?]', ['/?'], ['/a']],
  ['/[[]', ['/['], ['/]']],
  ['/a[/]b', [], ['/a/b', '/a[/]b']],
  ['/[ä-ü]', ['/ö'], ['/o']],
  ['/[😀-😂]', ['/😁'], ['/😅']],
  // No braces, groups or escapes.
  ['/{a,b}', ['/{a,b}'], ['/a', '/b']],
  ['/(a|b)', ['/(a|b)'], ['/a', '/b']],
  ['/a (1)/*', ['/a (1)/b'], ['/a 1/b']],
  ['/+(a)', ['/+(a)'], ['/a', '/aa']],
  ['/!(a)', ['/!(a)'], ['/b']],
  ['/@(a)', ['/@(a)'], ['/a']],
  ['/a\\*', ['/a\\', '/a\\b'], ['/a*']],
  ['/a]', ['/a]'], ['/a']],
]

/** With dotfiles, as a deny without case, or an allow with `requireLiteralLeadingDot: false`. */
const DOTFILES: Rows = [
  ['/*', ['/.a', '/a'], ['/a/b']],
  ['/a/**', ['/a/.b', '/a/b/.c', '/a/.b/c'], ['/a']],
  ['/?a', ['/.a'], ['/a']],
  ['/[.]a', ['/.a'], ['/a']],
  ['/[!x]a', ['/.a'], ['/xa']],
  ['/**/b', ['/.a/b', '/a/.c/b'], ['/.b']],
]

const WITHOUT_CASE: Rows = [
  ['/Users/*.TXT', ['/users/a.txt', '/USERS/A.Txt'], ['/users/a.md']],
  ['/[a-c]', ['/B', '/b'], ['/D', '/d']],
  ['/[A-C]', ['/B', '/b'], ['/D']],
  ['/caf\u00e9/**', ['/cafe\u0301/x', '/CAF\u00c9/x'], ['/cafe/x']],
  ['/cafe\u0301*', ['/caf\u00e9s'], ['/cafes']],
  ['/ΑΣ/*', ['/ας/x', '/ασ/x'], ['/α/x']],
]

const WINDOWS: Rows = [
  ['C:\\a\\*', ['C:\\a\\b', 'C:/a/b', 'C:\\a/b'], ['C:\\a\\b\\c', 'C:\\a', 'D:\\a\\b']],
  ['C:/a/**', ['C:\\a\\b', 'C:\\a\\b\\c'], ['C:\\a', 'C:\\ab']],
  ['C:\\a\\[b]', ['C:\\a\\b'], ['C:\\a\\c']],
]

const matches = (
  pattern: string,
  path: string,
  { requireLiteralLeadingDot = true, ignoreCase = false, separators = '/' } = {},
): boolean =>
  Glob.parse(pattern, separators).matches(splitNames(ignoreCase ? foldCase(path) : path, separators), {
    requireLiteralLeadingDot,
    ignoreCase,
  })

const toCases = (rows: Rows): [string, string, boolean][] =>
  rows.flatMap(([pattern, matching, different]) => [
    ...matching.map((path): [string, string, boolean] => [pattern, path, true]),
    ...different.map((path): [string, string, boolean] => [pattern, path, false]),
  ])

describe('names with a leading dot are hidden', () => {
  test('matches', () => rows(toCases(ROWS))((pattern, path, expected) => expect(matches(pattern, path)).toBe(expected)))
})

describe('names with a leading dot are not hidden', () => {
  test('matches', () =>
    rows(toCases(DOTFILES))((pattern, path, expected) =>
      expect(matches(pattern, path, { requireLiteralLeadingDot: false })).toBe(expected),
    ))
})

describe('case and composition are ignored', () => {
  test('matches', () =>
    rows(toCases(WITHOUT_CASE))((pattern, path, expected) =>
      expect(matches(pattern, path, { ignoreCase: true })).toBe(expected),
    ))
})

describe('both slashes separate on Windows', () => {
  test('matches', () =>
    rows(toCases(WINDOWS))((pattern, path, expected) =>
      expect(matches(pattern, path, { separators: '/\\' })).toBe(expected),
    ))
})

test('a malformed pattern is refused', () =>
  rows(['/a**', '/**b', '/a/**b/c', '/***', '/[', '/[]', '/[!', '/[!]', '/[ab', '/a[b/c'])(pattern =>
    expect(() => Glob.parse(pattern)).toThrow(/wildcards|range pattern/),
  ))

// More rows of text are in the tests of label globs.
test('wildcards match slashes in text that is not split', () =>
  rows<[pattern: string, matching: string[], different: string[]]>([
    ['https://*', ['https://a/b/c', 'https://'], ['http://a']],
    ['https://a?b[!c]', ['https://a/b/'], ['https://a/bc', 'https://ab/']],
    ['https://**/x', ['https://x', 'https://a/x', 'https://a/b/x'], ['https://ax', 'https://a/b/xx']],
    ['a*/**/c*/**/d', ['a/c/d', 'ab/x/c/d', 'a/b/x/cc/d/d'], ['a/c', 'a/xc/d', 'a/c/xd']],
    ['*.a', ['.a', '/.a', 'b.a'], ['a']],
    ['a/**/', ['a/', 'a/b/', 'a/b/c/'], ['a', 'a/b']],
    ['a/*', ['a/', 'a/b'], ['a']],
  ])((pattern, matching, different) => {
    const glob = Glob.parseText(pattern)
    expect(matching.filter(text => !glob.matchesText(text))).toEqual([])
    expect(different.filter(text => glob.matchesText(text))).toEqual([])
  }))

test('text is compared without case and composition if it has to be', () => {
  expect(Glob.parseText('Caf\u00e9/**').matchesText('CAFE\u0301/x', true)).toBe(true)
  expect(Glob.parseText('Caf\u00e9/**').matchesText('CAFE\u0301/x')).toBe(false)
})

test('the prefix ends before the first wildcard', () =>
  rows<[pattern: string, prefix: string[]]>([
    ['/a/b', ['', 'a', 'b']],
    ['/a/b/*/c', ['', 'a', 'b']],
    ['/a/**', ['', 'a']],
    ['**/a', []],
  ])((pattern, prefix) => expect(Glob.parse(pattern).prefix).toEqual(prefix)))

test('names in place of the prefix are literal', () => {
  const glob = Glob.parse('/a/b/**').withPrefix(['', '*', '['])
  const options = { requireLiteralLeadingDot: true, ignoreCase: false }
  expect([glob.matches(['', '*', '[', 'x'], options), glob.matches(['', 'a', '[', 'x'], options)]).toEqual([
    true,
    false,
  ])
})

test('the work for a long path grows with its length, whatever the pattern', () => {
  const globs = Array.from({ length: 50 }, (_, at) => Glob.parse(`/**/x/**/*y*y*y*/**/x${at}/**/x/**/z`))
  const paths = ['/x'.repeat(2000), `/${'y'.repeat(4000)}`, '/x/yyy'.repeat(600)].map(path => splitNames(path))
  // Backtracking would take minutes, longer than a test may.
  for (const path of paths) {
    for (const glob of globs) {
      expect(glob.matches(path, { requireLiteralLeadingDot: true, ignoreCase: false })).toBe(false)
    }
    expect(Glob.parseText('**/x/**/*y*y*y*/**/x0/**/z').matchesText(path.join('/'))).toBe(false)
  }
})
