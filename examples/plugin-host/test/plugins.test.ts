// Plugins that come, go and misbehave, each in a real process behind a real gate; and invalid manifests.
import { createBus } from '@sallyport/core'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { readPlugin } from '../manifest.js'
import { createPluginHost } from '../plugin-host.js'

const plugins = join(import.meta.dirname, 'plugins')
let root: string
let host: Awaited<ReturnType<typeof createPluginHost>>
let granted: string[]
const stopped: string[] = []
const notices: string[] = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sallyport-plugins-'))
  host = await createPluginHost({
    storage: join(root, 'storage'),
    documents: join(import.meta.dirname, '../documents'),
    grant: () => granted,
    onStopped: (name, why) => stopped.push(`${name}: ${why}`),
    onNotice: (name, text) => notices.push(`${name}: ${text}`),
  })
})
beforeEach(() => {
  granted = ['storage', 'documents', 'notify']
  stopped.length = notices.length = 0
})
afterAll(async () => {
  await host.close()
  await rm(root, { recursive: true })
})

test('a plugin keeps its storage when it is removed and installed again, and can use its grants', async () => {
  expect(await host.install(join(plugins, 'remembers'))).toEqual(['storage', 'notify'])
  await expect(host.install(join(plugins, 'remembers'))).rejects.toThrow('remembers')
  expect(await host.transform('one')).toEqual({ remembers: 'CommandFailed' }) // there is no such file yet
  expect(await host.transform('two')).toEqual({ remembers: 'one' })
  expect(await readFile(join(root, 'storage/remembers/last.txt'), 'utf8')).toBe('two')
  expect(notices).toEqual([expect.stringMatching(/^remembers: [\w-]+$/), notices[0]])

  await host.remove('remembers')
  expect([host.list(), await host.transform('alone')]).toEqual([[], {}])
  await expect(host.remove('remembers')).rejects.toThrow('There is no frontend "remembers"')

  granted = []
  expect(await host.install(join(plugins, 'remembers'))).toEqual([])
  expect(await host.transform('three')).toEqual({ remembers: 'Denied' })
  await host.remove('remembers')
  expect(stopped).toEqual([])
})

test('a plugin that reloads runs in a new process, with its permissions', async () => {
  await host.install(join(plugins, 'remembers'))
  await host.transform('before')
  await host.reload('remembers')
  expect(await host.transform('after')).toEqual({ remembers: 'before' })
  expect(notices).toHaveLength(2)
  expect(notices[1]).not.toBe(notices[0])
  expect(host.list()).toMatchObject([{ label: 'remembers', state: 'running', sandbox: 'process' }])
  await host.remove('remembers')
})

test('a plugin that never answers is stopped, and the others keep running', async () => {
  await host.install(join(plugins, 'remembers'))
  expect(await host.transform('spin')).toEqual({})
  expect(stopped).toEqual(['remembers: "transform" took longer than 2000 ms'])
  expect(host.list()).toEqual([])
  await host.install(join(plugins, 'remembers'))
  expect(await host.transform('four')).toEqual({ remembers: 'spin' })
  await host.remove('remembers')
})

test('a plugin that throws while it loads is not installed', async () => {
  await expect(host.install(join(plugins, 'dies'))).rejects.toThrow('born dead')
  expect([host.list(), await host.transform('five')]).toEqual([[], {}])
})

test('a plugin whose host forgets `allow` is denied, and the error says what to add', async () => {
  const bus = await createBus({ core: new URL('../core.js', import.meta.url), log: false })
  try {
    await bus.open('forgotten', new URL('plugins/notifies/main.js', import.meta.url), { sandbox: 'process' })
    await expect(bus.call('forgotten', 'notify')).rejects.toMatchObject({
      reason: 'Denied',
      message: expect.stringContaining(
        'Command notify not allowed by ACL: add "notify" to the option "allow" of the frontend "forgotten"',
      ),
    })
  } finally {
    await bus.close()
  }
})

test.each([
  ['malformed JSON', '{', 'JSON'],
  ['no name', '{ "entry": "main.js", "permissions": [] }', 'name'],
  ['an invalid name', '{ "name": "../x", "entry": "main.js", "permissions": [] }', 'a name has a-z, 0-9 and "-"'],
  ['an unknown permission', '{ "name": "x", "entry": "main.js", "permissions": ["shell"] }', 'permissions.0'],
  ['an unknown member', '{ "name": "x", "entry": "main.js", "permissions": [], "sandbox": "none" }', 'sandbox'],
  ['no entry', '{ "name": "x", "entry": "none.js", "permissions": [] }', 'ENOENT'],
  ['an entry elsewhere', '{ "name": "x", "entry": "../elsewhere.js", "permissions": [] }', 'outside of the directory'],
  [
    'an entry that leads elsewhere',
    '{ "name": "x", "entry": "link.js", "permissions": [] }',
    'outside of the directory',
  ],
])('a manifest with %s is rejected', async (_what, text, message) => {
  const directory = join(root, 'manifest')
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory)
  await writeFile(join(root, 'elsewhere.js'), '')
  await writeFile(join(directory, 'main.js'), '')
  await symlink(join(root, 'elsewhere.js'), join(directory, 'link.js'))
  await writeFile(join(directory, 'manifest.json'), text)
  await expect(readPlugin(directory)).rejects.toThrow(message)
})
