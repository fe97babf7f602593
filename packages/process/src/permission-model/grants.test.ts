import { homedir } from 'node:os'
import { rows } from '../../../../scripts/testing.js'
import { writeProject } from '../../../core/test/support/project.js'
import { mkdtempSync, rmSync, realpathSync, symlinkSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import os, { tmpdir } from 'node:os'
import { join, dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test, beforeEach, describe } from 'vitest'
import { getModuleGrants, getPackageDirectory, getWriteGrants, isWithin, joinGrants } from './grants.js'
import { getReadFlags } from './links.js'

test('omits grants that others contain', () => {
  const grants = { directories: ['/a/b', '/a/b/c', '/a/bc'], files: ['/a/b/file', '/a/bcd', '/a/package.json'] }
  const joined = joinGrants([grants, { directories: ['/a/b'], files: ['/a/package.json'] }])
  expect(joined).toEqual({ directories: ['/a/b', '/a/bc'], files: ['/a/bcd', '/a/package.json'] })
  expect(getReadFlags(joined).map(flag => flag.replaceAll('\\', '/'))).toEqual([
    '--allow-fs-read=/a/bcd',
    '--allow-fs-read=/a/package.json',
    '--allow-fs-read=/a/b/*',
    '--allow-fs-read=/a/bc/*',
  ])
})

test('distinguishes directories whose names begin alike', () => {
  expect(isWithin(['/a/b'], '/a/b')).toBe(true)
  expect(isWithin(['/a/b'], '/a/b/c')).toBe(true)
  expect(isWithin(['/a/b'], '/a/bc')).toBe(false)
  expect(isWithin(['/'], '/etc')).toBe(true)
})

test('rejects a path with an asterisk', () => {
  expect(() => joinGrants([{ directories: ['/a*'], files: [] }])).toThrow(/asterisk/)
})

test('a directory can be changed by the process of a user without a home directory', () => {
  const { homedir } = os
  os.homedir = () => {
    throw new Error('uv_os_homedir returned ENOENT')
  }
  syncBuiltinESMExports()
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-'))
  try {
    expect(getWriteGrants('sandbox', [pathToFileURL(directory)], []).paths).toContain(directory)
  } finally {
    Object.assign(os, { homedir })
    syncBuiltinESMExports()
    rmSync(directory, { recursive: true })
  }
})

test('refuses a directory to write that contains what is read', () => {
  const root = writeProject({ 'data/kept/file': '' })
  const [directory, file] = [join(root, 'data/kept'), join(root, 'data/kept/file')]
  return rows<Parameters<typeof getWriteGrants>[3]>([
    { directories: [directory], files: [] },
    { directories: [], files: [file] },
  ])(reads =>
    expect(() => getWriteGrants('sandbox', [pathToFileURL(join(root, 'data'))], [], reads)).toThrow('which it reads'),
  )
})

test.skipIf(process.platform === 'win32')('what is a link above a module is not granted, but above the host', () => {
  const root = realpathSync(writeProject({ 'repository/lib/main.js': '', 'secret/file': '' }))
  symlinkSync('../secret', join(root, 'repository/node_modules'))
  symlinkSync('../secret/file', join(root, 'repository/package.json'))
  const list = (): string[] => {
    const { directories, files } = getModuleGrants(pathToFileURL(join(root, 'repository/lib/main.js')))
    return [...directories, ...files].filter(path => dirname(path) === join(root, 'repository') || /secret/.test(path))
  }
  const [, program] = process.argv
  try {
    expect(list()).toEqual([join(root, 'repository/lib')])
    process.argv[1] = join(root, 'repository/lib/main.js')
    expect(list()).toEqual(
      ['lib', 'node_modules', '../secret', 'package.json'].map(path => join(root, 'repository', path)),
    )
  } finally {
    process.argv[1] = program!
  }
})

describe('the directory of a package', () => {
  let root: string
  beforeEach(() => {
    const directory = writeProject({
      'plugins/x/package.json': {},
      'plugins/x/dist/main.js': '',
      'plugins/x/dist/esm/main.js': '',
      'plugins/x/server/main.js': '',
      'plugins/x/main.js': '',
      'plugins/named/package.json': { exports: { '.': { import: './server/main.js' } } },
      'plugins/named/server/main.js': '',
      'plugins/marked/package.json': {},
      'plugins/marked/dist/package.json': { type: 'module' },
      'plugins/marked/dist/main.js': '',
      'plugins/broken/package.json': '{',
      'plugins/broken/server/main.js': '',
      'shared/package.json': { type: 'module' },
      'shared/stranger/main.js': '',
      'shared/node_modules/dist/main.js': '',
    })
    root = realpathSync(directory)
  })
  const find = (path: string, ...host: string[]): string =>
    getPackageDirectory(
      join(root, path),
      host.map(file => join(root, file)),
    ).slice(root.length + 1)

  test('the directory is that of the package', () =>
    rows([
      ['of the nearest package.json above a directory for code', 'plugins/x/dist/main.js', 'plugins/x'],
      ['above several directories for code', 'plugins/x/dist/esm/main.js', 'plugins/x'],
      ['of the package.json next to the module', 'plugins/x/main.js', 'plugins/x'],
      ['of a package.json that names the module', 'plugins/named/server/main.js', 'plugins/named'],
      ['of the module, if package.json does not name it', 'plugins/x/server/main.js', 'plugins/x/server'],
      ['of the module, if package.json cannot be read', 'plugins/broken/server/main.js', 'plugins/broken/server'],
      ['of the nearest package.json, although another is above', 'plugins/marked/dist/main.js', 'plugins/marked/dist'],
      ['of a plugin without a package.json', 'shared/stranger/main.js', 'shared/stranger'],
      ['of a package in node_modules', 'shared/node_modules/dist/main.js', 'shared/node_modules/dist'],
    ])((_, path, directory) => expect(find(path)).toBe(join(directory))))

  test('a package that contains the host is not granted', () =>
    rows(['plugins/x/dist/core.js', 'plugins/x', 'plugins/x/host/main.js'])(file =>
      expect(find('plugins/x/dist/main.js', file)).toBe(join('plugins/x/dist')),
    ))

  test('the working and home directories are no packages', () =>
    rows([
      ['the working directory', process.cwd()],
      ['the home directory', homedir()],
    ])((_, directory) => {
      const path = join(directory, 'dist', 'x.js')
      expect(getPackageDirectory(path, [])).toBe(dirname(path))
    }))
})
