import { expect, test } from 'vitest'
import { getReadFlags, isWithin, joinGrants } from './grants.js'

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
