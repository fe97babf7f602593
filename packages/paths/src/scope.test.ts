import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import type { PathResolver } from './directories.js'
import { getPathRules } from './resolve.js'
import { checkPathEntry, PathGrants, PathScope } from './scope.js'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-scope-')))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const rules = getPathRules('linux')
const path: PathResolver = {
  resolve: () => '/',
  parse(text) {
    if (text.startsWith('$NONE')) throw new Error('unknown path')
    return text.replace('$ROOT', root)
  },
}
const create = (allow: readonly unknown[], deny: readonly unknown[] = []): PathScope =>
  new PathScope({ allow, deny }, path, { requireLiteralLeadingDot: true, rules })

describe('PathScope', () => {
  test('entries are strings and objects', () => {
    const scope = create(['/a/*', { path: '/b/*' }], [{ path: '/a/x' }])
    expect(['/a/x', '/b/x', '/c/x'].map(each => scope.isAllowed(each))).toEqual([true, true, false])
    expect(scope.isDenied('/a/x')).toBe(true)
  })

  test('an unknown variable matches nothing', () => {
    const scope = create(['$NONE/**', '$OTHER/**'], ['$NONE/**'])
    expect([scope.isAllowed('/a'), scope.isAllowed('$OTHER/a'), scope.isDenied('/a')]).toEqual([false, false, false])
  })

  test('a pattern below a link also matches where the link leads', () => {
    mkdirSync(join(root, 'real *'))
    symlinkSync('real *', join(root, 'link'))
    const scope = create(['$ROOT/link/**'])
    expect(scope.isAllowed(join(root, 'real */x'))).toBe(true)
    expect(scope.isAllowed(join(root, 'real y/x'))).toBe(false)
  })

  test('a link that appears later does not move a pattern', () => {
    const scope = create(['$ROOT/later/**'])
    symlinkSync('/etc', join(root, 'later'))
    expect(scope.isAllowed('/etc/passwd')).toBe(false)
  })

  test('a deny covers dotfiles, other case and other composition', () => {
    const scope = create([], ['/home/**', '/caf\u00e9'])
    for (const each of ['/home/.ssh/id', '/HOME/a', '/cafe\u0301']) expect(scope.isDenied(each)).toBe(true)
  })

  test('a deny of a range covers its letters with and without case', () =>
    rows([
      ['[_-z]*', 'secret'],
      ['[_-z]*', 'SECRET'],
      ['[!A]*', 'a'],
      ['[!a-z]*', 'Z'],
      ['[a-z]*', 'Z'],
    ])((pattern, name) => expect(create([], [`/d/${pattern}`]).isDenied(`/d/${name}`)).toBe(true)))

  test('a path is included if its canonical form is allowed, and neither form is denied', () => {
    const scope = create(['/a/**'], ['/a/x', '/link/x'])
    const forms: [canonical: string, original: string][] = [
      ['/a/b', '/link/b'],
      ['/a/x', '/link/b'],
      ['/a/b', '/link/x'],
      ['/b/b', '/a/b'],
    ]
    expect(forms.map(form => scope.includes(...form))).toEqual([true, false, false, false])
  })

  test('files of the kernel are denied on Linux', () => {
    const scope = create(['/**'])
    expect(['/proc', '/proc/self/environ', '/process'].map(each => scope.isDenied(each))).toEqual([true, true, false])
  })

  test('refuses what is not an entry', () =>
    rows([1, null, {}, { path: 1 }, '', { path: '' }, '/a**', '/[', { path: '/***' }])(entry =>
      expect(() => checkPathEntry(entry)).toThrow(/is not a path|wildcards|range/),
    ))
})

describe('PathGrants', () => {
  const [main, other] = [{}, {}]

  test('are literals of one frontend', () => {
    const grants = new PathGrants()
    grants.grant(main, '/x/[ab]*')
    expect(['/x/[ab]*', '/x/a', '/x/[ab]*/y', '/x/[ab]*/y/z'].map(each => grants.includes(main, each, rules))).toEqual([
      ...[true, false, true, false],
    ])
    expect(grants.includes(other, '/x/[ab]*', rules)).toBe(false)
  })

  test('a directory: they include all below it if they are recursive, and no sibling', () => {
    const grants = new PathGrants()
    grants.grant(main, '/x/y', true)
    grants.grant(main, '/x/y')
    expect(['/x/y/z/a', '/x/yz', '/x/yz/a', '/x'].map(each => grants.includes(main, each, rules))).toEqual([
      ...[true, false, false, false],
    ])
  })

  test('are bounded: the oldest is revoked', () => {
    const grants = new PathGrants()
    for (let at = 0; at <= 1024; at++) grants.grant(main, `/none/${at}`)
    expect(['/none/0', '/none/1', '/none/1024'].map(each => grants.includes(main, each, rules))).toEqual([
      false,
      true,
      true,
    ])
  })
})
