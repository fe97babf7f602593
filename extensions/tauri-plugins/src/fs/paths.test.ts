import type { PathResolver, CommandContext } from '@sallyport/core'
import { getPathRules, getPathScopeOptions } from '@sallyport/paths/internal'
import { expect, test } from 'vitest'
import { getPathScope, PathLock } from './paths.js'

const [linux, macos] = (['linux', 'darwin'] as const).map(getPathRules)

/** Starts work that runs until it is ended. */
function createWork(lock = new PathLock(linux!)) {
  const log: string[] = []
  const ends = new Map<string, () => void>()
  const start = (name: string, isExclusive: boolean, ...paths: string[]): Promise<void> =>
    lock.run(paths, isExclusive, async hasWaited => {
      log.push(hasWaited ? `${name} after waiting` : name)
      await new Promise<void>(resolve => ends.set(name, resolve))
    })
  const end = async (name: string): Promise<void> => {
    ends.get(name)!()
    await new Promise(resolve => setImmediate(resolve))
  }
  return { log, start, end }
}

test('exclusive work waits for the work on its path and below it, and then runs alone', async () => {
  const { log, start, end } = createWork()
  const work = [
    start('read', false, '/a/b/c'),
    start('list', false, '/a/b'),
    start('move', true, '/a/b', '/a/x'),
    start('later', false, '/a/x/y'),
  ]
  expect(log).toEqual(['read', 'list'])
  await end('read')
  expect(log).toEqual(['read', 'list'])
  await end('list')
  expect(log.slice(2)).toEqual(['move after waiting'])
  await end('move')
  expect(log.slice(3)).toEqual(['later after waiting'])
  await end('later')
  await Promise.all(work)
})

test('exclusive work and other work above it do not wait for each other', async () => {
  const { log, start, end } = createWork()
  const work = [start('list', false, '/a'), start('move', true, '/a/b'), start('read', false, '/a')]
  expect(log).toEqual(['list', 'move', 'read'])
  for (const name of log) await end(name)
  await Promise.all(work)
})

test('exclusive work waits for exclusive work above it and below it', async () => {
  const { log, start, end } = createWork()
  const work = [start('inner', true, '/a/b'), start('outer', true, '/a'), start('next', true, '/a/c')]
  expect(log).toEqual(['inner'])
  await end('inner')
  expect(log.slice(1)).toEqual(['outer after waiting'])
  await end('outer')
  expect(log.slice(2)).toEqual(['next after waiting'])
  await end('next')
  await Promise.all(work)
})

test('work on other paths runs at once', async () => {
  const { log, start, end } = createWork()
  const work = [start('walk', false, '/a/b'), start('move', true, '/a/b'), start('other', true, '/a/bc', '/b')]
  expect(log).toEqual(['walk', 'other'])
  for (const name of ['walk', 'other', 'move']) await end(name)
  await Promise.all(work)
})

test('the root contains every path, and case does not matter where it does not matter to the system', async () => {
  const { log, start, end } = createWork(new PathLock(macos!))
  const work = [start('root', true, '/'), start('a', false, '/A/b'), start('b', true, '/a/B')]
  expect(log).toEqual(['root'])
  for (const name of ['root', 'a', 'b']) await end(name)
  expect(log).toEqual(['root', 'a after waiting', 'b after waiting'])
  await Promise.all(work)
})

test('an error ends only its own call', async () => {
  const lock = new PathLock(linux!)
  const fails = lock.run(['/a'], true, () => Promise.reject(new Error('no')))
  const next = lock.run(['/a'], true, () => Promise.resolve('next'))
  await expect(fails).rejects.toThrow('no')
  expect(await next).toBe('next')
})

const path: PathResolver = { resolve: () => '/', parse: text => text }
const scope: CommandContext['scope'] = {
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
