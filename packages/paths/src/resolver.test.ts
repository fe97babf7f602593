// Base directories with paths below them, and text that begins with one.
import { getOwnName, getOwnRest } from './scope.js'
import * as api from '@tauri-apps/api/path'
import { describe, expect, it, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { BaseDirectory, type PathEnvironment } from './directories.js'
import { createPathResolver } from './directories.js'

const linux: PathEnvironment = {
  platform: 'linux',
  env: {},
  home: '/home/ann',
  identifier: 'com.example.app',
  resources: '/opt/app',
  userDirs: () => undefined,
}
const windows: PathEnvironment = { ...linux, platform: 'win32', home: 'C:\\Users\\ann', resources: 'C:\\app' }

it('the numbers are those of @tauri-apps/api', () => {
  const theirs = Object.entries(api.BaseDirectory).filter(([, value]) => typeof value === 'number')
  expect(BaseDirectory).toEqual(Object.fromEntries(theirs))
})

describe('resolve', () => {
  it('joins a path to a base directory', () =>
    rows<[PathEnvironment, BaseDirectory, string | undefined, string]>([
      [linux, BaseDirectory.Home, undefined, '/home/ann'],
      [linux, BaseDirectory.AppData, 'notes/a.txt', '/home/ann/.local/share/com.example.app/notes/a.txt'],
      [linux, BaseDirectory.Home, '/etc/passwd', '/etc/passwd'],
      [linux, BaseDirectory.Resource, 'icons/a.png', '/opt/app/icons/a.png'],
      [linux, BaseDirectory.Resource, '../../secret', '/opt/app/_up_/_up_/secret'],
      [linux, BaseDirectory.Resource, '/etc/./passwd', '/opt/app/_root_/etc/passwd'],
      [windows, BaseDirectory.Home, 'x', 'C:\\Users\\ann\\x'],
      [windows, BaseDirectory.Resource, 'D:\\secret', 'C:\\app\\_root_\\secret'],
      [windows, BaseDirectory.Resource, 'x/D:/secret', 'C:\\app\\x\\D:\\secret'],
    ])((around, directory, path, expected) =>
      expect(createPathResolver(around).resolve(directory, path)).toBe(expected),
    ))

  it('throws for an unknown directory', () => {
    const { resolve } = createPathResolver(linux)
    expect(() => resolve(BaseDirectory.Runtime)).toThrow(/^unknown path$/)
    expect(() => createPathResolver({ ...linux, resources: undefined }).resolve(BaseDirectory.Resource)).toThrow(
      /^unknown path$/,
    )
    expect(() => resolve(99)).toThrow('There is no base directory 99')
    expect(() => createPathResolver({ ...linux, identifier: '' }).resolve(BaseDirectory.AppData)).toThrow(
      'AppData is named after the program: the bus needs an `identifier`',
    )
  })
})

describe('parse', () => {
  it('replaces a variable at the start', () =>
    rows<[PathEnvironment, string, string]>([
      [linux, '$HOME/.bashrc', '/home/ann/.bashrc'],
      [linux, '$HOME', '/home/ann'],
      [linux, '$APPDATA/**', '/home/ann/.local/share/com.example.app/**'],
      [linux, '$EXE/x', '/home/ann/.local/bin/x'],
      [linux, '$HOME/../../etc/passwd', '/home/ann/etc/passwd'],
      [linux, '/var/../log', '/var/log'],
      [linux, '$NOPE/x', '$NOPE/x'],
      [linux, 'a/$HOME/b', 'a/$HOME/b'],
      [linux, '/$HOME/b', '/$HOME/b'],
      [linux, '../x', '../x'],
      [linux, '', ''],
      [windows, '$HOME/a\\b', 'C:\\Users\\ann\\a\\b'],
      [windows, '$HOME/D:/x', 'C:\\Users\\ann\\D:\\x'],
      [windows, 'D:\\x\\..\\y', 'D:\\x\\y'],
    ])((around, path, expected) => expect(createPathResolver(around).parse(path)).toBe(expected)))
})

describe('the directory of a label', () => {
  test('the directory of a label has its name, escaped', () =>
    rows([
      ['acme-x', 'acme-x'],
      ['a/b', 'a%2Fb'],
      ['a:b_c', 'a%3Ab_c'],
      ['Main', '%4Dain'],
      ['con', '%63on'],
      ['node_modules', '%6Eode_modules'],
    ])((label, name) => expect(getOwnName(label)).toBe(name)))

  test('labels that differ have directories that differ, even where names have no case', () => {
    const labels = [
      'a',
      'A',
      'a/b',
      'a%2Fb',
      'a-b',
      'x'.repeat(200),
      'X'.repeat(200),
      `${'X'.repeat(199)}Y`,
      'é',
      '\u00C3\u00A9',
    ]
    expect(new Set(labels.map(label => getOwnName(label).toLowerCase())).size).toBe(labels.length)
    for (const label of labels) expect(getOwnName(label).length).toBeLessThan(256)
  })

  test('the rest of a pattern is what follows $OWN', () =>
    rows([
      ['$OWN', ''],
      ['$OWN/**', '/**'],
      ['$OWNER/**', undefined],
      ['/$OWN', undefined],
      [{ path: '$OWN' }, undefined],
    ])((pattern, rest) => expect(getOwnRest(pattern)).toBe(rest)))
})
