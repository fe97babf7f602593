// The patterns of scopes, by the rules of Tauri's.
import { expect, test } from 'vitest'
import { matchesGlob } from '../src-tauri/fs/glob.js'

test.each<[pattern: string, matching: string[], others: string[]]>([
  ['/a/b', ['/a/b'], ['/a', '/a/b/c', '/a/B', 'a/b']],
  ['/a/*', ['/a/b', '/a/.b', '/a/x\ny'], ['/a', '/a/b/c']],
  ['/a/*.t?t', ['/a/b.txt', '/a/.tät', '/a/b.tot.t\nt'], ['/a/b.tt', '/a/b/c.txt']],
  ['/a/**', ['/a', '/a/b', '/a/b/c\nd', '/a/.b/c'], ['/ab', '/']],
  ['/**/b/**/d', ['/b/d', '/a/b/c/d', '/b/x/b/d/d'], ['/a/d', '/b/d/e', '/b']],
  ['/a**/b', ['/a/b', '/axy/b'], ['/a/x/b']],
  ['/a/[bc]', ['/a/b', '/a/c'], ['/a/d', '/a/[bc]']],
  ['/a/[!b-d]x', ['/a/ex'], ['/a/cx', '/a/x']],
  ['/a/[[]1[]]', ['/a/[1]'], ['/a/1']],
  ['/a/(b|c) {d} +', ['/a/(b|c) {d} +'], ['/a/b', '/a/(b|c) d +']],
])('%s', (pattern, matching, others) => {
  for (const path of matching) expect(matchesGlob(path, pattern), path).toBe(true)
  for (const path of others) expect(matchesGlob(path, pattern), path).toBe(false)
})
