import { expect, test } from 'vitest'
import { getFlags, isWithin, joinGrants } from './read-grants.js'

test('what is in another’s folder is not granted again', () => {
  const one = { folders: ['/a/b', '/a/b/c', '/a/bc'], files: ['/a/b/file', '/a/bcd', '/a/package.json'] }
  const joined = joinGrants([one, { folders: ['/a/b'], files: ['/a/package.json'] }])
  expect(joined).toEqual({ folders: ['/a/b', '/a/bc'], files: ['/a/bcd', '/a/package.json'] })
  expect(getFlags(joined).map(flag => flag.replaceAll('\\', '/'))).toEqual([
    '--allow-fs-read=/a/bcd',
    '--allow-fs-read=/a/package.json',
    '--allow-fs-read=/a/b/*',
    '--allow-fs-read=/a/bc/*',
  ])
})

test('a name that begins alike is another folder', () => {
  expect(isWithin(['/a/b'], '/a/b')).toBe(true)
  expect(isWithin(['/a/b'], '/a/b/c')).toBe(true)
  expect(isWithin(['/a/b'], '/a/bc')).toBe(false)
  expect(isWithin(['/'], '/etc')).toBe(true)
})

test('a path with an asterisk is refused', () => {
  expect(() => joinGrants([{ folders: ['/a*'], files: [] }])).toThrow(/asterisk/)
})
