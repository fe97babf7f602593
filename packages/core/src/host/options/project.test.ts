// What is read of a Tauri project, in each of its formats.
import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { writeProject } from '../../../test/project.js'
import { readProject } from './project.js'

const read = (folder: string, name = '') => readProject(pathToFileURL(join(folder, name)))

/** What Tauri writes into a new project, with what a bus reads of it. */
const config = {
  $schema: 'https://schema.tauri.app/config/2',
  productName: 'Notes',
  version: '1.2.3',
  identifier: 'com.example.notes',
  build: { frontendDist: '../dist', devUrl: 'http://localhost:1420', beforeDevCommand: 'pnpm dev' },
  app: {
    withGlobalTauri: true,
    macOSPrivateApi: false,
    windows: [{ title: 'Notes', width: 800 }],
    security: {
      csp: null,
      assetProtocol: { enable: true },
      pattern: { use: 'isolation', options: { dir: '../dist-isolation' } },
      capabilities: ['main', { identifier: 'more', windows: ['*'], permissions: [] }],
    },
  },
  bundle: { active: true, targets: 'all', icon: [] },
  plugins: { fs: { requireLiteralLeadingDot: false } },
}

const json5 = `// As JSON5.
{
  $schema: 'https://schema.tauri.app/config/2',
  productName: 'Notes', version: '1.2.3', identifier: 'com.example.notes',
  app: {
    windows: [{ title: 'Notes' }],
    security: {
      pattern: { use: 'isolation', options: { dir: '../dist-isolation' } },
      capabilities: ['main', { identifier: 'more', windows: ['*'], permissions: [] }],
    },
  },
  plugins: { fs: { requireLiteralLeadingDot: false } },
}`

const toml = `# As TOML.
product-name = "Notes"
version = "1.2.3"
identifier = "com.example.notes"

[[app.windows]]
title = "Notes"

[app.security]
capabilities = ["main", { identifier = "more", windows = ["*"], permissions = [] }]

[app.security.pattern]
use = "isolation"
options.dir = "../dist-isolation"

[plugins.fs]
requireLiteralLeadingDot = false
`

describe('a configuration', () => {
  test.each([
    ['tauri.conf.json', config],
    ['tauri.conf.json', json5],
    ['tauri.conf.json5', json5],
    ['Tauri.toml', toml],
  ])('is read from %s', async (name, content) => {
    const folder = writeProject({ [name]: content })
    const expected = {
      from: join(folder, name),
      productName: 'Notes',
      version: '1.2.3',
      identifier: 'com.example.notes',
      plugins: { fs: { requireLiteralLeadingDot: false } },
      pattern: { use: 'isolation', options: { dir: pathToFileURL(join(folder, '../dist-isolation')) } },
      capabilities: ['main', { identifier: 'more', windows: ['*'], permissions: [] }],
      capabilityFiles: [],
      permissionFiles: [],
      manifests: undefined,
    }
    expect(await read(folder)).toEqual(expected)
    expect(await read(folder, name)).toEqual(expected)
  })

  test('may say nothing that is a bus’s business', async () => {
    const folder = writeProject({ 'tauri.conf.json': { build: {} } })
    expect(await read(folder)).toMatchObject({ plugins: {}, pattern: undefined, capabilities: [] })
  })

  test.each([
    [
      'tauri.linux.conf.json',
      { identifier: 'com.example.linux', plugins: { fs: null }, app: { security: { csp: 1 } } },
    ],
    ['tauri.linux.conf.json5', '{ identifier: "com.example.linux", plugins: { fs: null } }'],
  ])('has that of the platform merged into it: %s', async (name, content) => {
    const here = process.platform === 'darwin' ? 'macos' : process.platform === 'win32' ? 'windows' : 'linux'
    const own = name.replace('linux', here)
    const folder = writeProject({ 'tauri.conf.json': config, [own]: content, 'tauri.ios.conf.json': '{ broken' })
    const { from, identifier, plugins, pattern, version } = await read(folder)
    expect({ identifier, plugins, version }).toEqual({ identifier: 'com.example.linux', plugins: {}, version: '1.2.3' })
    expect(pattern?.use).toBe('isolation')
    expect(from).toBe(`${join(folder, 'tauri.conf.json')} with ${own}`)
  })

  test('has its version in a package.json', async () => {
    const folder = writeProject({
      'src-tauri/tauri.conf.json': { version: '../package.json' },
      'package.json': { version: '4.5.6-beta.1' },
    })
    expect((await read(folder, 'src-tauri')).version).toBe('4.5.6-beta.1')
  })
})

describe('the files beside it', () => {
  test.skipIf(process.platform === 'win32')(
    'are found behind links, and each once; what is no file is passed over',
    async () => {
      const folder = writeProject({
        'tauri.conf.json': {},
        'capabilities/main.json': { identifier: 'main' },
        'shared/guests.json': { identifier: 'guests' },
      })
      symlinkSync('../shared', join(folder, 'capabilities/shared'))
      symlinkSync('.', join(folder, 'capabilities/loop'))
      execFileSync('mkfifo', [join(folder, 'capabilities/pipe.json')])
      const { capabilityFiles } = await read(folder)
      expect(capabilityFiles).toEqual([
        { value: { identifier: 'main' }, from: join(folder, 'capabilities/main.json') },
        { value: { identifier: 'guests' }, from: join(folder, 'capabilities/shared/guests.json') },
      ])
      symlinkSync('nowhere', join(folder, 'capabilities/gone.json'))
      await expect(read(folder)).rejects.toThrow(/gone\.json can't be read: ENOENT$/)
    },
  )

  test('are found in the folders that Tauri looks in', async () => {
    const manifests = { fs: { permissions: {}, permission_sets: {}, default_permission: null } }
    const folder = writeProject({
      'tauri.conf.json': {},
      'capabilities/b.json5': '{ identifier: "b", permissions: [], }',
      'capabilities/a.toml': 'identifier = "a"\npermissions = []\n',
      'capabilities/deep/er/c.json': [{ identifier: 'c', permissions: [] }],
      'capabilities/schemas/schema.json': { type: 'object' },
      'capabilities/notes.md': 'no capability',
      'permissions/autogenerated/greet.toml':
        '[[permission]]\nidentifier = "allow-greet"\ncommands.allow = ["greet"]\n',
      'permissions/schemas/schema.json': {},
      'permissions/fs/more.json': { permission: [] },
      'gen/schemas/acl-manifests.json': manifests,
    })
    const project = await read(folder)
    expect(project.capabilityFiles).toEqual([
      { from: join(folder, 'capabilities/a.toml'), value: { identifier: 'a', permissions: [] } },
      { from: join(folder, 'capabilities/b.json5'), value: { identifier: 'b', permissions: [] } },
      { from: join(folder, 'capabilities/deep/er/c.json'), value: [{ identifier: 'c', permissions: [] }] },
    ])
    expect(project.permissionFiles).toEqual([
      {
        from: join(folder, 'permissions/autogenerated/greet.toml'),
        value: { permission: [{ identifier: 'allow-greet', commands: { allow: ['greet'] } }] },
        plugin: undefined,
      },
      { from: join(folder, 'permissions/fs/more.json'), value: { permission: [] }, plugin: 'fs' },
    ])
    expect(project.manifests).toEqual({ from: join(folder, 'gen/schemas/acl-manifests.json'), value: manifests })
  })
})
