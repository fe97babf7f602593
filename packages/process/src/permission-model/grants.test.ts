import { mkdtempSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import os, { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { getWriteGrants, isWithin, joinGrants } from './grants.js'
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
