// `fs:own`: each label has a directory of its own, which it names by relative paths, and whose place it is not told.
import { type Bus, createBus, defineCore } from '@sallyport/core'
import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { fs } from '../../src/fs/fs.js'
import { call, createPlace, startFs, writeFile } from './start.js'
import { rows } from '../../../../scripts/testing.js'

const { root } = createPlace()
// Wildcards in the name of the directory are its letters.
const own = join(root, 'own [a] *')
const { clients } = await startFs(
  { 'acme-x': ['fs:own'], 'other/B': ['fs:own'], none: [], reads: [{ permission: 'fs:read-all', allow: ['$OWN/*'] }] },
  { own },
)
const plugin = clients['acme-x']!

test('a label reads, writes, lists, moves and removes in its own directory alone', async () => {
  expect(await writeFile(plugin, 'a.txt', 'mine')).toBe(null)
  expect(readFileSync(join(own, 'acme-x/a.txt'), 'utf8')).toBe('mine')
  expect(await call(plugin, 'mkdir', { path: 'sub/.hidden', options: { recursive: true } })).toBe(null)
  expect(await call(plugin, 'rename', { oldPath: 'a.txt', newPath: 'sub/.hidden/a.txt' })).toBe(null)
  expect(await call(plugin, 'exists', { path: 'sub/.hidden/a.txt' })).toBe(true)
  expect(await call(plugin, 'read_dir', { path: '.' })).toMatchObject([{ name: 'sub', isDirectory: true }])
  expect(await call(clients['other/B']!, 'read_dir', { path: '.' })).toEqual([])
  expect(existsSync(join(own, 'other%2F%42'))).toBe(true)
  const rid = await call(plugin, 'open', { path: 'log', options: { create: true, append: true } })
  expect(rid).toEqual(expect.any(Number))
  expect(await call(plugin, 'remove', { path: '.', options: { recursive: true } })).toBe(null)
  expect(await writeFile(plugin, 'b.txt', 'again')).toBe(null)
})

test('another path is refused with no other path in the error', async () => {
  mkdirSync(join(own, 'acme-x'), { recursive: true })
  mkdirSync(join(own, 'other%2F%42'), { recursive: true })
  symlinkSync(join(own, 'other%2F%42'), join(own, 'acme-x/link'))
  symlinkSync(join(root, 'nothing'), join(own, 'acme-x/dangling'))
  const paths = ['../other%2F%42/x', '/etc/hostname', `${own}/other%2F%42/x`, `${own}`, 'link/x', 'dangling']
  await rows(paths)(async path => {
    for (const attempt of [
      call(plugin, 'read_file', { path }),
      writeFile(plugin, path, 'x'),
      call(plugin, 'remove', { path }),
    ]) {
      const text = String(await attempt)
      expect(text).toMatch(/^refused:/)
      expect(text.replace(path, '')).not.toContain(root)
    }
    expect(existsSync(join(root, 'nothing'))).toBe(false)
  })
})

test('each of the two paths of a command has a base directory of its own', () =>
  rows(['oldPathBaseDir', 'newPathBaseDir'])(async name => {
    await writeFile(plugin, 'from', 'x')
    const Temp = 12
    const moved = await call(plugin, 'rename', { oldPath: 'from', newPath: 'to', options: { [name]: Temp } })
    expect(moved).toMatch(/^refused: /)
    expect(existsSync(join(own, 'acme-x/from'))).toBe(true)
  }))

test('an error names the path that the label wrote', async () => {
  expect(await call(plugin, 'read_file', { path: 'none.txt' })).toMatch(
    /^refused: [^/]+ path: none\.txt with error: No such file/,
  )
  expect(await call(plugin, 'read_dir', { path: 'none' })).not.toContain(root)
  expect(await call(plugin, 'rename', { oldPath: 'x', newPath: 'y' })).not.toContain(root)
})

test('a permission with `$OWN/*` has the names in the directory, and no other command', async () => {
  const { reads } = clients
  mkdirSync(join(own, 'reads/sub'), { recursive: true })
  writeFileSync(join(own, 'reads/a'), 'a')
  writeFileSync(join(own, 'reads/sub/b'), 'b')
  expect(await call(reads!, 'exists', { path: 'a' })).toBe(true)
  expect(await call(reads!, 'read_file', { path: 'sub/b' })).toMatch(/^refused: forbidden path: sub\/b/)
  expect(await writeFile(reads!, 'a', 'x')).toMatch(/^refused: .*not allowed by ACL/)
})

test('a denial is one line', async () => {
  const text = String(await call(clients['none']!, 'read_file', { path: 'a' }))
  expect(text).toMatch(/^refused: Command plugin:fs\|read_file not allowed by ACL.*$/)
  expect(text.length).toBeLessThan(400)
})

test('a watcher reports paths as the label can write them', async () => {
  const events: { paths: string[] }[] = []
  const onEvent = new plugin.Channel<{ paths: string[] }>(event => void events.push(event))
  await call(plugin, 'watch', { paths: ['.'], options: { recursive: true }, onEvent })
  await writeFile(plugin, 'seen.txt', 'x')
  await expect.poll(() => events.flatMap(({ paths }) => paths)).toContain('seen.txt')
})

describe('the directories', () => {
  const buses: Bus[] = []
  afterAll(() => Promise.all(buses.map(bus => bus.close())))
  const start = async (config: { identifier?: string } = {}) => {
    const bus = await createBus({ core: defineCore({ plugins: [fs()] }), log: false, config })
    buses.push(bus)
    return bus.connect('acme-x', { allow: ['fs:own'] })
  }

  test('need a place', async () => {
    expect(await call(await start(), 'read_dir', { path: '.' })).toMatch(/fs:own needs the option `own`/)
    expect(() => fs({ own: 'relative' })).toThrow('an absolute path')
  })

  test('are in the data of the program by default', async () => {
    const home = realpathSync(root)
    const before = process.env['XDG_DATA_HOME']
    process.env['XDG_DATA_HOME'] = home
    try {
      const client = await start({ identifier: 'org.example.own' })
      expect(await writeFile(client, 'a', 'x')).toBe(null)
    } finally {
      if (before === undefined) delete process.env['XDG_DATA_HOME']
      else process.env['XDG_DATA_HOME'] = before
    }
    if (process.platform === 'linux') expect(existsSync(join(home, 'org.example.own/own/acme-x/a'))).toBe(true)
  })
})
