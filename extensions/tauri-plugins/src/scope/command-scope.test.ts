import type { CommandScope, PathResolver } from '@sallyport/core'
import { getPathScopeOptions } from '@sallyport/paths/internal'
import { expect, test } from 'vitest'
import { getPathScope } from './command-scope.js'

const path: PathResolver = { resolve: () => '/', parse: text => text }
const scope: CommandScope = {
  allow: ['/a/*'],
  deny: [],
  matches: () => false,
  global: { allow: [{ path: '/b/*' }], deny: ['/a/x'], matches: () => false },
}
const call = { scope, app: { path } } as never
const options = getPathScopeOptions()

test('a scope has the entries of the command and of all commands', () => {
  const paths = getPathScope(call, options)
  expect(['/a/x', '/b/x', '/c/x'].map(each => paths.isAllowed(each))).toEqual([true, true, false])
  expect(paths.isDenied('/a/x')).toBe(true)
})

test('a scope is compiled once for each scope of core', () => {
  expect(getPathScope(call, options)).toBe(getPathScope(call, options))
})
