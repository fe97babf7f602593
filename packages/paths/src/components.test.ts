// Tauri's path functions. The basenames are Tauri's own tests (crates/tauri/src/path/plugin.rs).
import { describe, expect, it } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import * as text from './components.js'
import type { PathPlatform } from './components.js'

describe('posix', () => {
  it('resolve', () =>
    rows([
      [['.'], '/srv'],
      [[], '/srv'],
      [['a', 'b'], '/srv/a/b'],
      [['/foo/bar', '/tmp/file', 'baz'], '/tmp/file/baz'],
      [['..', 'x/./y'], '/x/y'],
      [['../../../x'], '/x'],
      [['a', ''], '/srv/a'],
    ])((paths, expected) => expect(text.resolve(paths, 'posix', '/srv')).toBe(expected)))

  it('normalize', () =>
    rows([
      ['a/./b/../c', 'a/c'],
      ['a//b', 'a/b'],
      ['/a/../../b', '/b'],
      ['../a', 'a'],
      ['a/b/', 'a/b/'],
      ['/', '/'],
      ['.', '.'],
      ['..', '..'],
      ['', ''],
      ['./', './'],
    ])((path, expected) => expect(text.normalize(path, 'posix')).toBe(expected)))

  it('join', () =>
    rows([
      [['a', 'b', 'c'], 'a/b/c'],
      [['/a', '/b', '../c'], '/a/c'],
      [['a/', '/b'], 'a/b'],
      [['', 'a'], 'a'],
      [['a', '..'], '.'],
      [[''], '.'],
      [[], '.'],
    ])((paths, expected) => expect(text.join(paths, 'posix')).toBe(expected)))

  it('dirname', () =>
    rows([
      ['/a/b', '/a'],
      ['/a', '/'],
      ['a', ''],
      ['a/b/', 'a'],
      ['./a', '.'],
      ['a/..', 'a'],
    ])((path, expected) => expect(text.dirname(path, 'posix')).toBe(expected)))

  it('basename, without an extension', () =>
    rows([
      ['/path/to/some-json-file.json', '.json', 'some-json-file'],
      ['/path/to/some-json-file.json', 'json', 'some-json-file.'],
      ['/path/to/some-json-file.html.json', '.json', 'some-json-file.html'],
      ['/path/to/some-json-file.json.json', '.json', 'some-json-file.json'],
      ['/path/to/some-json-file.json.html', '.json', 'some-json-file.json.html'],
      ['a/b/', undefined, 'b'],
      ['.bashrc', '.bashrc', ''],
    ])((path, ext, expected) => expect(text.basename(path, ext, 'posix')).toBe(expected)))

  it('extname', () =>
    rows([
      ['a/b.tar.gz', 'gz'],
      ['b.', ''],
      ['.config.json', 'json'],
    ])((path, expected) => expect(text.extname(path, 'posix')).toBe(expected)))

  const failing = {
    dirname: (path: string) => text.dirname(path, 'posix'),
    basename: (path: string) => text.basename(path, undefined, 'posix'),
    extname: (path: string) => text.extname(path, 'posix'),
  }

  it('what a path does not have is an error', () =>
    rows<[keyof typeof failing, string, string]>([
      ['dirname', '/', 'path does not have a parent'],
      ['dirname', '', 'path does not have a parent'],
      ['basename', '/', 'path does not have a basename'],
      ['basename', 'a/..', 'path does not have a basename'],
      ['extname', 'a/b', 'path does not have an extension'],
      ['extname', '.bashrc', 'path does not have an extension'],
      ['extname', '..', 'path does not have an extension'],
    ])((name, path, message) =>
      expect(() => failing[name](path)).toThrow(
        expect.objectContaining({ reason: 'CommandFailed', message, data: message }) as Error,
      ),
    ))
})

describe('Windows', () => {
  const on: PathPlatform = 'win32'

  it('resolve', () =>
    rows([
      [['a', 'b/c'], 'C:\\work\\a\\b\\c'],
      [['\\x'], 'C:\\x'],
      [['D:\\x', '..', 'y'], 'D:\\y'],
      [['\\\\server\\share\\a', '..', '..', 'b'], '\\\\server\\share\\b'],
      [['\\\\?\\C:\\a\\b'], 'C:\\a\\b'],
    ])((paths, expected) => expect(text.resolve(paths, on, 'C:\\work')).toBe(expected)))

  it('accepts both slashes, and returns backslashes', () => {
    expect(text.normalize('C:/a/./b/../c/', on)).toBe('C:\\a\\c\\')
    expect(text.join(['a/b', 'c'], on)).toBe('a\\b\\c')
    expect(text.dirname('C:\\a\\b.txt', on)).toBe('C:\\a')
    expect(text.dirname('C:\\a', on)).toBe('C:\\')
    expect(text.basename('C:\\a\\b.txt', '.txt', on)).toBe('b')
    expect(text.extname('C:\\a.d\\b', 'posix')).toBe('d\\b')
    expect(() => text.extname('C:\\a.d\\b', on)).toThrow('path does not have an extension')
  })
})

it('paths are absolute by the rules of their platform', () =>
  rows([
    ['/a', true, false],
    ['a', false, false],
    ['./a', false, false],
    ['', false, false],
    ['C:\\a', false, true],
    ['C:a', false, false],
    ['\\a', false, false],
    ['\\\\server\\share', false, true],
  ])((path, posix, windows) =>
    expect([text.isAbsolute(path, 'posix'), text.isAbsolute(path, 'win32')]).toEqual([posix, windows]),
  ))

it('a long path takes a time that is proportional to its length', () =>
  rows(['posix', 'win32'] as const)(platform => {
    const paths = Array<string>(300_000).fill('a')
    expect(text.resolve(paths, platform, '/')).toHaveLength(600_000)
    expect(text.join(paths, platform)).toHaveLength(599_999)
    expect(text.normalize('../'.repeat(300_000), platform)).toMatch(/^\.[\\/]$/)
  }))
