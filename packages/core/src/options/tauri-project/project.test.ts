import { execFileSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { editJson } from '../../../../../scripts/odd-inputs.js'
import { rows } from '../../../../../scripts/testing.js'
import { writeProject } from '../../../test/support/project.js'
import { mergePatch, readProject } from './project.js'

const read = (directory: string, name = '') => readProject(pathToFileURL(join(directory, name)))

/** A new project of Tauri's, with every section that a bus reads. */
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

describe('the configuration', () => {
  test('is read from JSON, JSON5 and TOML', () =>
    rows([
      ['tauri.conf.json', config],
      ['tauri.conf.json', json5],
      ['tauri.conf.json5', json5],
      ['Tauri.toml', toml],
    ])(async (name, content) => {
      const directory = writeProject({ [name]: content })
      const expected = {
        from: join(directory, name),
        productName: 'Notes',
        version: '1.2.3',
        identifier: 'com.example.notes',
        plugins: { fs: { requireLiteralLeadingDot: false } },
        isolation: {
          dir: pathToFileURL(join(directory, '../dist-isolation')),
          gates: 'each',
          legacyMessages: false,
          hookTimeout: expect.any(Number) as number,
        },
        capabilities: ['main', { identifier: 'more', windows: ['*'], permissions: [] }],
        capabilityFiles: [],
        permissionFiles: [],
        manifests: undefined,
      }
      const { webview: _webview, ...project } = await read(directory)
      expect(project).toEqual(expected)
      expect(project.isolation).toHaveProperty('hookTimeout', 1000)
      expect(await read(directory, name)).toMatchObject(expected)
    }))

  test('has defaults for everything that a bus reads', async () => {
    const directory = writeProject({ 'tauri.conf.json': { build: {} } })
    expect(await read(directory)).toMatchObject({ plugins: {}, isolation: undefined, capabilities: [] })
  })

  test('is merged with that of the platform', () =>
    rows([
      [
        'tauri.linux.conf.json',
        { identifier: 'com.example.linux', plugins: { fs: null }, app: { security: { csp: "default-src 'self'" } } },
      ],
      ['tauri.linux.conf.json5', '{ identifier: "com.example.linux", plugins: { fs: null } }'],
    ])(async (name, content) => {
      const platform = process.platform === 'darwin' ? 'macos' : process.platform === 'win32' ? 'windows' : 'linux'
      const platformFile = name.replace('linux', platform)
      const directory = writeProject({
        'tauri.conf.json': config,
        [platformFile]: content,
        'tauri.ios.conf.json': '{ broken',
      })
      const { from, identifier, plugins, isolation, version } = await read(directory)
      expect({ identifier, plugins, version }).toEqual({
        identifier: 'com.example.linux',
        plugins: {},
        version: '1.2.3',
      })
      expect(isolation).toBeDefined()
      expect(from).toBe(`${join(directory, 'tauri.conf.json')} with ${platformFile}`)
    }))

  test('takes the version from a package.json', async () => {
    const directory = writeProject({
      'src-tauri/tauri.conf.json': { version: '../package.json' },
      'package.json': { version: '4.5.6-beta.1' },
    })
    expect((await read(directory, 'src-tauri')).version).toBe('4.5.6-beta.1')
  })
})

describe('the files in the same directory', () => {
  test.skipIf(process.platform === 'win32')(
    'are found behind links, each once, while other entries are ignored',
    async () => {
      const directory = writeProject({
        'tauri.conf.json': {},
        'capabilities/main.json': { identifier: 'main' },
        'shared/more.json': { identifier: 'more' },
      })
      symlinkSync('../shared', join(directory, 'capabilities/shared'))
      symlinkSync('.', join(directory, 'capabilities/loop'))
      execFileSync('mkfifo', [join(directory, 'capabilities/pipe.json')])
      const { capabilityFiles } = await read(directory)
      expect(capabilityFiles).toEqual([
        { value: { identifier: 'main' }, from: join(directory, 'capabilities/main.json') },
        { value: { identifier: 'more' }, from: join(directory, 'capabilities/shared/more.json') },
      ])
      symlinkSync('nowhere', join(directory, 'capabilities/gone.json'))
      await expect(read(directory)).rejects.toThrow(/gone\.json cannot be read: ENOENT$/)
    },
  )

  test('are found where Tauri looks for them', async () => {
    const manifests = { fs: { permissions: {}, permission_sets: {}, default_permission: null } }
    const directory = writeProject({
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
    const project = await read(directory)
    expect(project.capabilityFiles).toEqual([
      { from: join(directory, 'capabilities/a.toml'), value: { identifier: 'a', permissions: [] } },
      { from: join(directory, 'capabilities/b.json5'), value: { identifier: 'b', permissions: [] } },
      { from: join(directory, 'capabilities/deep/er/c.json'), value: [{ identifier: 'c', permissions: [] }] },
    ])
    expect(project.permissionFiles).toEqual([
      {
        from: join(directory, 'permissions/autogenerated/greet.toml'),
        value: { permission: [{ identifier: 'allow-greet', commands: { allow: ['greet'] } }] },
        plugin: undefined,
      },
      { from: join(directory, 'permissions/fs/more.json'), value: { permission: [] }, plugin: 'fs' },
    ])
    expect(project.manifests).toEqual({ from: join(directory, 'gen/schemas/acl-manifests.json'), value: manifests })
  })
})

describe('rejects a mistake with its file, place and the nearest valid name:', () => {
  const security = (value: unknown) => ({ 'tauri.conf.json': { app: { security: value } } })
  const isolation = (options: unknown) => security({ pattern: { use: 'isolation', options } })
  test('in any file', () =>
    rows<[name: string, files: Record<string, unknown>, text: string]>([
      [
        'no configuration',
        { 'x.json': {} },
        'createBus: config: there is no tauri.conf.json, tauri.conf.json5, Tauri.toml in <directory>. Pass the directory of a Tauri project',
      ],
      [
        'invalid JSON',
        { 'tauri.conf.json': '{\n  "app": {\n    oops\n  }\n}' },
        "<directory>/tauri.conf.json:4:3: not JSON: invalid character '}'",
      ],
      ['truncated JSON', { 'tauri.conf.json': '{' }, '<directory>/tauri.conf.json:1:2: not JSON: invalid end of input'],
      [
        'invalid JSON5',
        { 'tauri.conf.json5': "{\n  a: 'b\n}" },
        "<directory>/tauri.conf.json5:3:1: not JSON5: invalid character '\\n'",
      ],
      [
        'invalid TOML',
        { 'Tauri.toml': 'version = "1.0.0"\nidentifier = \n' },
        '<directory>/Tauri.toml:2:14: not TOML: invalid value',
      ],
      [
        'a duplicate key in TOML',
        { 'Tauri.toml': 'a = 1\na = 2\n' },
        '<directory>/Tauri.toml:2:1: not TOML: trying to redefine an already defined table or value',
      ],
      ['a list', { 'tauri.conf.json': '[]' }, '<directory>/tauri.conf.json must be an object: got Array'],
      [
        'an invalid version',
        { 'tauri.conf.json': { version: '1.2' } },
        '<directory>/tauri.conf.json: version must be as 1.2.3, or the path of a package.json: got "1.2"',
      ],
      [
        'a package.json without a version',
        { 'tauri.conf.json': { version: 'package.json' }, 'package.json': {} },
        '<directory>/package.json: version must be as 1.2.3: got undefined',
      ],
      [
        'a wrong type',
        { 'tauri.conf.json': { productName: 5 } },
        '<directory>/tauri.conf.json: productName must be a string: got 5',
      ],
      [
        'an invalid identifier',
        { 'tauri.conf.json': { identifier: 'a/../b' } },
        '<directory>/tauri.conf.json: identifier must be an identifier of letters, digits, ".", "-" and "_": got "a/../b"',
      ],
      [
        'invalid plugins',
        { 'tauri.conf.json': { plugins: [] } },
        '<directory>/tauri.conf.json: plugins must be an object: got Array',
      ],
      [
        'a misspelt section',
        { 'tauri.conf.json': { App: {} } },
        '<directory>/tauri.conf.json: unknown option "App" (did you mean "app"?)',
      ],
      [
        'misspelt security',
        { 'tauri.conf.json': { app: { securty: {} } } },
        '<directory>/tauri.conf.json: unknown option "app.securty" (did you mean "security"?)',
      ],
      [
        'misspelt capabilities',
        security({ capabilites: [] }),
        '<directory>/tauri.conf.json: unknown option "app.security.capabilites" (did you mean "capabilities"?)',
      ],
      [
        'isolation in the place of the option',
        { 'tauri.conf.json': { isolation: {} } },
        '<directory>/tauri.conf.json: unknown option "isolation": it belongs at app.security.pattern',
      ],
      [
        'capabilities in the place of the option',
        { 'tauri.conf.json': { capabilities: [] } },
        '<directory>/tauri.conf.json: unknown option "capabilities": it belongs at app.security.capabilities',
      ],
      [
        'an isolation app outside of the options',
        security({ pattern: { use: 'isolation', options: { dir: 'x' }, dir: 'x' } }),
        '<directory>/tauri.conf.json: unknown option "app.security.pattern.dir": it belongs at app.security.pattern.options.dir',
      ],
      [
        'a configuration of Tauri 1',
        { 'tauri.conf.json': { package: {}, tauri: {} } },
        '<directory>/tauri.conf.json: "tauri" belongs to Tauri 1, and would be ignored. Run `tauri migrate` to convert it to Tauri 2',
      ],
      [
        'an invalid pattern',
        security({ pattern: { use: 'isolate' } }),
        '<directory>/tauri.conf.json: app.security.pattern.use must be "brownfield" or "isolation": got "isolate"',
      ],
      [
        'a misspelt isolation app',
        isolation({ dirr: 'x' }),
        '<directory>/tauri.conf.json: unknown option "app.security.pattern.options.dirr" (did you mean "dir"?)',
      ],
      [
        'a missing isolation app',
        security({ pattern: { use: 'isolation' } }),
        '<directory>/tauri.conf.json: app.security.pattern.options is missing',
      ],
      [
        'a misspelt option of the isolation app',
        isolation({ dir: 'x', legacyMessage: true }),
        '<directory>/tauri.conf.json: unknown option "app.security.pattern.options.legacyMessage" (did you mean "legacyMessages"?)',
      ],
      [
        'an invalid hookTimeout',
        isolation({ dir: 'x', hookTimeout: 0.5 }),
        '<directory>/tauri.conf.json: app.security.pattern.options.hookTimeout must be whole milliseconds, from 10 to 3600000: got 0.5',
      ],
      [
        'capabilities instead of a list',
        security({ capabilities: 'main' }),
        '<directory>/tauri.conf.json: app.security.capabilities must be an array: got "main"',
      ],
      [
        'an invalid capability',
        security({ capabilities: [1] }),
        '<directory>/tauri.conf.json: app.security.capabilities[0] must be a capability, or the identifier of one: got 1',
      ],
      [
        'an invalid capability file',
        { 'tauri.conf.json': {}, 'capabilities/a.toml': 'identifier "a"' },
        '<directory>/capabilities/a.toml:1:12: not TOML: illegal character in key',
      ],
    ])(async (_name, files, text) => {
      const directory = writeProject(files)
      await expect(read(directory)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: text.replaceAll('<directory>', directory),
      })
    }))

  test('a file as people edit it is read, or refused with its place', () =>
    rows(
      ['tauri.conf.json', 'capabilities/main.json', 'permissions/own.json'].flatMap(file =>
        editJson(
          JSON.stringify(
            {
              'tauri.conf.json': { identifier: 'com.example.notes', plugins: { list: [1] } },
              'capabilities/main.json': { identifier: 'main', windows: ['*'], permissions: [] },
              'permissions/own.json': { permission: [{ identifier: 'own' }] },
            }[file],
          ),
        ).map(([edit, bytes, mistake]) => [`${file}: ${edit}`, file, bytes, mistake] as const),
      ),
    )(async (name, file, bytes, mistake) => {
      const files = { 'tauri.conf.json': {}, 'capabilities/main.json': {}, 'permissions/own.json': {} }
      const directory = writeProject(files)
      const plain = writeProject(files)
      writeFileSync(join(directory, file), bytes)
      writeFileSync(join(plain, file), new TextDecoder().decode(bytes).replace(/,\s*}$/, '}'))
      const readable = async (place: string) => JSON.stringify(await read(place)).replaceAll(place, '')
      // Any file can be JSON5.
      if (mistake && !name.endsWith('a comma too many')) {
        await expect(read(directory)).rejects.toThrow(mistake)
        await expect(read(directory)).rejects.toThrow(join(directory, file))
      } else expect(await readable(directory)).toBe(await readable(plain))
    }))

  test('a file of TOML with a byte order mark and CRLF', async () => {
    const directory = writeProject({ 'tauri.conf.json': {} })
    writeFileSync(join(directory, 'Tauri.toml'), `\uFEFF${toml.replaceAll('\n', '\r\n')}`)
    expect(await read(directory, 'Tauri.toml')).toMatchObject({ identifier: 'com.example.notes' })
  })

  test('a file that is not UTF-8', async () => {
    const directory = writeProject({ 'tauri.conf.json': {} })
    writeFileSync(join(directory, 'tauri.conf.json'), Buffer.from('\uFEFF{}', 'utf16le'))
    await expect(read(directory)).rejects.toThrow(`${join(directory, 'tauri.conf.json')} must be UTF-8`)
  })

  test('a missing file, or one with another name', async () => {
    const directory = writeProject({ 'other.json': {} })
    await expect(read(directory, 'tauri.conf.json')).rejects.toThrow(
      `createBus: config: there is no file or directory ${join(directory, 'tauri.conf.json')}`,
    )
    await expect(read(directory, 'other.json')).rejects.toThrow(
      /config must be a directory, or one of tauri\.conf\.json, .*: got .*other\.json$/,
    )
  })
})

test('merges as JSON Merge Patch does, and changes neither', () =>
  rows<[target: unknown, patch: unknown, result: unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])((target, patch, result) => {
    const before = structuredClone(target)
    expect(mergePatch(target, patch)).toEqual(result)
    expect(target).toEqual(before)
  }))

test('__proto__ is a name like any other', () => {
  const merged = mergePatch({}, JSON.parse('{ "__proto__": { "polluted": true } }')) as { polluted?: boolean }
  expect(merged.polluted).toBeUndefined()
  expect(Object.keys(merged)).toEqual(['__proto__'])
})
