import { describe, expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import type { PathResolver } from './directories.js'
import { getPathRules } from './resolve.js'
import { toAbsolutePath } from './resolve.js'
import { PathScope } from './scope.js'

const [windows, macos, linux] = (['win32', 'darwin', 'linux'] as const).map(getPathRules)
const resolver: PathResolver = { parse: path => path, resolve: (_base, path = '') => `C:\\base\\${path}` }
const create =
  (rules = windows!) =>
  (path: unknown, baseDir?: number) =>
    toAbsolutePath(path, {
      resolveBase: baseDir === undefined ? undefined : plain => resolver.resolve(baseDir, plain),
      namesShare: share => share === '\\\\host\\share',
      rules,
    })
const createScope = (rules = windows!, allow: string[], deny: string[] = []): PathScope =>
  new PathScope({ allow, deny }, resolver, { requireLiteralLeadingDot: false, rules })

describe('on Windows', () => {
  test('slashes and dots of a path are normalized', () =>
    rows(['C:\\a\\b.txt', 'C:/a/b.txt', 'C:\\a\\.\\b.txt', 'C:\\\\a\\b.txt'])(path =>
      expect(create()(path)).toBe('C:\\a\\b.txt'),
    ))

  test('devices, streams and other special names are refused', () =>
    rows([
      ['CON', 'EINVAL'],
      ['C:\\a\\nul', 'EINVAL'],
      ['C:\\a\\NUL.txt', 'EINVAL'],
      ['C:\\aux\\b', 'EINVAL'],
      ['C:\\a\\com1', 'EINVAL'],
      ['C:\\a\\LPT9.x.y', 'EINVAL'],
      ['C:\\a\\com¹', 'EINVAL'],
      ['C:\\a\\lpt².txt', 'EINVAL'],
      ['C:\\a\\CONIN$', 'EINVAL'],
      ['C:\\a\\conout$.txt', 'EINVAL'],
      ['C:\\a\\con .txt', 'EINVAL'],
      ['C:\\a.txt::$DATA', 'EINVAL'],
      ['C:\\a.txt:stream', 'EINVAL'],
      ['C:x', 'EINVAL'],
      ['C:\\a.', 'EINVAL'],
      ['C:\\a ', 'EINVAL'],
      ['C:\\a. .\\b', 'EINVAL'],
      ['C:\\a*', 'EINVAL'],
      ['\\\\?\\C:\\a', 'EINVAL'],
      ['\\\\.\\C:\\a', 'EINVAL'],
      ['\\\\?\\UNC\\host\\share\\a', 'EINVAL'],
      ['//./pipe/x', 'EINVAL'],
      ['\\\\other\\share\\a', 'EACCES'],
      ['\\\\other\\\\share', 'EACCES'],
      ['\\\\.other\\share', 'EACCES'],
      ['\\\\other\\', 'EINVAL'],
      ['x'.repeat(40_000), 'ENAMETOOLONG'],
      [`C:\\a${'\u0301\u0316'.repeat(128)}`, 'ENAMETOOLONG'],
    ])((path, code) => expect(() => create()(path)).toThrow(expect.objectContaining({ code }))))

  test('names like special ones are ordinary paths', () =>
    rows(['C:\\a\\console', 'C:\\a\\com10', 'C:\\a\\nul-x', 'C:\\a\\.b', 'C:\\.env'])(path =>
      expect(create()(path)).toBe(path),
    ))

  test('a path that leads up is refused', () =>
    rows(['..\\x', 'C:\\a\\..\\x', 'a/../x'])(path =>
      expect(() => create()(path)).toThrow('cannot traverse directory'),
    ))

  test('a share has a name of a host', () =>
    rows([
      ['a'.repeat(63), 'EACCES'],
      ['a'.repeat(64), 'URL is not a valid path'],
      ['%E4%B8%81'.repeat(64), 'URL is not a valid path'],
    ])((host, error) => expect(() => create()(`file://${host}/share/a`)).toThrow(error)))

  test('a share that the scope names can be used', () => {
    expect(() => toAbsolutePath('\\\\host\\share\\a', { rules: windows! })).toThrow('EACCES')
    expect(create()('\\\\host\\share\\a')).toBe('\\\\host\\share\\a')
    const scope = createScope(windows, ['\\\\HOST\\share\\**'])
    expect([scope.namesShare('\\\\host\\share'), scope.namesShare('\\\\other\\share')]).toEqual([true, false])
  })

  test('a relative path is below its base directory', () => {
    expect(create()('a.txt', 14)).toBe('C:\\base\\a.txt')
  })

  test('case and slashes do not matter to a scope', () => {
    const scope = createScope(windows, ['C:/Users/**'], ['C:\\Users\\Private\\**'])
    expect(scope.isAllowed('c:\\users\\A.txt')).toBe(true)
    expect(scope.isDenied('C:/USERS/private/key')).toBe(true)
  })
})

describe('on macOS', () => {
  test('case and composition do not matter to a scope', () => {
    const scope = createScope(macos, ['/Users/caf\u00e9/**'], ['/Users/caf\u00e9/Private/**'])
    expect(scope.isAllowed('/users/cafe\u0301/a')).toBe(true)
    expect(scope.isDenied('/users/cafe\u0301/PRIVATE/a')).toBe(true)
  })

  test('another stream of a file is refused', () => {
    expect(() => create(macos)('/a/b/..namedfork/rsrc')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })
})

describe('on Linux', () => {
  test('case matters to an allow, and not to a deny', () => {
    const scope = createScope(linux, ['/a/**'], ['/a/Private/**'])
    expect([scope.isAllowed('/A/b'), scope.isDenied('/a/private/b')]).toEqual([false, true])
  })

  test('names like special ones are ordinary paths', () =>
    rows(['/a/nul', '/a/b:c', '/a/b.', '/a/b\\..\\c', '/a/file:b', `/${'a'.repeat(255)}`, `${'/a'.repeat(2047)}b`])(
      path => expect(create(linux)(path)).toBe(path),
    ))

  test('what is no path is refused', () =>
    rows<[path: unknown, error: string]>([
      [1, 'expected a string'],
      ['', 'ENOENT'],
      ['/a\0b', 'NUL'],
      ['/a\ud800', 'UTF-8'],
      [`/${'a'.repeat(256)}`, 'ENAMETOOLONG'],
      ['/.'.repeat(2049), 'ENAMETOOLONG'],
      ['/a'.repeat(2048), 'ENAMETOOLONG'],
    ])((path, error) => expect(() => create(linux)(path)).toThrow(error)))
})
