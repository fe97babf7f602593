import { expect, test } from 'vitest'
import { createPathGlob } from './path-glob.js'

const matches = (pattern: string, path: string, options = {}): boolean =>
  createPathGlob(pattern.split('/'), { hidesDotFiles: false, ignoresCase: false, ...options })(path.split('/'))

test.each([
  ['/a/*', '/a/b'],
  ['/a/*.txt', '/a/b.c.txt'],
  ['/a/**', '/a/b/c'],
  ['/a/**/c', '/a/c'],
  ['/a/**/c', '/a/b/b/c'],
  ['/**/b/**/d', '/x/b/c/b/d'],
  ['/a/?[!x-z][]-]', '/a/éa-'],
  ['/a/[*]', '/a/*'],
  ['/a/*', '/a/x\ny'],
])('%s matches %s', (pattern, path) => {
  expect(matches(pattern, path)).toBe(true)
})

test.each([
  ['/a/*', '/a/b/c'],
  ['/a/*', '/a'],
  ['/a/**', '/a'],
  ['/a/**', '/b/a/c'],
  ['/a/**/c', '/a/b'],
  ['/a/[!b]', '/a/b'],
  ['/a/(b|c)', '/a/b'],
  ['/a/B', '/a/b'],
])('%s does not match %s', (pattern, path) => {
  expect(matches(pattern, path)).toBe(false)
})

test.each(['/a/*', '/a/?x', '/a/[.]x', '/a/**', '/**/.x/b'])('%s hides names with a leading dot', pattern => {
  const options = { hidesDotFiles: true }
  expect(matches(pattern, '/a/.x', options)).toBe(false)
  expect(matches(pattern, '/a/.x/b', options)).toBe(pattern === '/**/.x/b')
})

test('compares without case and Unicode composition if it has to', () => {
  expect(matches('/A/é*', '/a/e\u0301X', { ignoresCase: true })).toBe(true)
})

test('takes no longer for a path that is chosen to be slow', () => {
  const stars = `/${'**/'.repeat(20)}b`
  expect(matches(stars, `/${'a/'.repeat(2000)}`)).toBe(false)
  expect(matches(`/${'*a'.repeat(100)}b`, `/${'a'.repeat(4000)}`)).toBe(false)
})

test.each(['/a**', '/***', '/[a'])('%s is refused', pattern => {
  expect(() => matches(pattern, '/a')).toThrow(/^the glob/)
})
