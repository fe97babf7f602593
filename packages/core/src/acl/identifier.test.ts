// The globs of labels, by the rules of Rust's glob::Pattern.
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createGlobMatcher } from './identifier.js'

describe('a glob', () => {
  test('matches whole labels', () =>
    rows<[glob: string, matching: string[], others: string[]]>([
      ['main', ['main'], ['Main', 'main2', 'amain', '']],
      ['*', ['', 'main', 'a/b:c_d-e'], []],
      ['a*c', ['ac', 'abc', 'a/b/c'], ['abcd', 'bc']],
      ['?', ['a', '/', '-'], ['', 'ab']],
      ['plugin-?', ['plugin-a', 'plugin-/'], ['plugin-', 'plugin-ab']],
      ['[ab]c', ['ac', 'bc'], ['cc', 'abc', 'c']],
      ['[!a]*', ['main', 'b'], ['admin', 'a', '']],
      ['[^a]', ['a', '^'], ['b']],
      ['[a-c]', ['a', 'b', 'c'], ['d', '-']],
      ['[!a-c]', ['d', '-'], ['b']],
      ['[c-a]', [], ['a', 'b', 'c']],
      ['[-a]', ['-', 'a'], ['b']],
      ['[]]', [']'], ['[']],
      ['[!]]', ['['], [']']],
      ['[*]', ['*'], ['a']],
      ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb']],
      ['**', ['', 'a', 'a/b'], []],
      ['**/b', ['b', 'a/b'], ['ab']],
      ['{a,b}', ['{a,b}'], ['a', 'b']],
      ['a.b', ['a.b'], ['axb']],
      ['a\\d', ['a\\d'], ['a1']],
      ['(a|b)+$^', ['(a|b)+$^'], ['a']],
    ])((glob, matching, others) => {
      const matches = createGlobMatcher(glob)
      expect(matching.filter(label => !matches(label))).toEqual([])
      expect(others.filter(label => matches(label))).toEqual([])
    }))

  test('that is malformed is refused, by name', () =>
    rows(['[', 'a[b', '[]', '[!]', 'a**', '**a', 'a**b', '***'])(glob =>
      expect(() => createGlobMatcher(glob)).toThrow(`the glob ${JSON.stringify(glob)}:`),
    ))
})
