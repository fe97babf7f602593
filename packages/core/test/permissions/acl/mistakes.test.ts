// Every mistake in a capability, a permission file or a manifest stops the start, with file, place and the nearest right name.
import { describe, expect, test } from 'vitest'
import { getResolveOptions, resolveAllowList } from '../../../src/acl/resolve.js'
import { splitCapabilities } from '../../../src/acl/types.js'
import { rows } from '../../../../../scripts/testing.js'
import { capability, make, type MakeOptions, registry, toAcl } from './make.js'

function getMessage(options: MakeOptions): string {
  try {
    make(options)
  } catch (error) {
    expect(error).toMatchObject({ reason: 'InvalidParams' })
    return (error as Error).message
  }
  return 'no error'
}

describe('a capability', () => {
  const named = { identifier: 'main', windows: ['main'] }
  const mistakes: [what: string, value: unknown, text: string][] = [
    ['unknown key', { ...named, permissons: [] }, 'unknown key "permissons" (did you mean "permissions"?)'],
    [
      'unknown key in an entry',
      { ...named, permissions: [{ identifier: 'allow-greet', alow: [] }] },
      'permissions[0]: unknown key "alow" (did you mean "allow"?)',
    ],
    [
      'unknown key of remote',
      { ...named, permissions: [], remote: { url: [] } },
      'remote: unknown key "url" (did you mean "urls"?)',
    ],
    ['no identifier', { permissions: [] }, 'identifier: is missing'],
    ['an empty identifier', { identifier: '', permissions: [] }, 'identifier: must be a name: got 0'],
    ['no permissions', named, 'permissions: is missing'],
    ['windows', { ...named, windows: 'main', permissions: [] }, 'windows: must be an array of strings: got "main"'],
    ['a window', { ...named, windows: ['a', 5], permissions: [] }, 'windows[1]: must be a string: got 5'],
    ['a glob', { ...named, windows: ['a', '['], permissions: [] }, 'windows[1]: the glob "[": invalid range pattern'],
    [
      "a webview's glob",
      { ...named, webviews: ['a**'], permissions: [] },
      'webviews[0]: the glob "a**": recursive wildcards must form a single path component',
    ],
    ['local', { ...named, local: 'no', permissions: [] }, 'local: must be true or false: got "no"'],
    [
      'a platform',
      { ...named, permissions: [], platforms: ['linux', 'macos'] },
      'platforms[1]: must be "linux", "macOS", "windows", "android" or "iOS": got "macos"',
    ],
    [
      'a permission',
      { ...named, permissions: [5] },
      'permissions[0]: must be an identifier, or { identifier, allow, deny }: got 5',
    ],
    [
      'a permission that is a list',
      { ...named, permissions: [[]] },
      'permissions[0]: must be an identifier, or { identifier, allow, deny }: got Array',
    ],
    [
      'the scope of a permission',
      { ...named, permissions: [{ identifier: 'allow-greet', allow: {} }] },
      'permissions[0].allow: must be an array of values: got Object',
    ],
    [
      'a misspelt list of capabilities',
      { capabilites: [] },
      'unknown key "capabilites" (did you mean "capabilities"?)',
    ],
    ['a string', 'main', 'must be a capability: got "main"'],
    ['a list of lists', [[]], '[0]: must be a capability: got Array'],
    [
      'an entry of a list',
      [
        { ...named, permissions: [] },
        { identifier: 5, permissions: [] },
      ],
      '[1].identifier: must be a string: got 5',
    ],
    [
      'an entry of a named list',
      { capabilities: [{ ...named, permissions: ['allow-gret'] }] },
      'capabilities[0].permissions[0]: capability "main": unknown permission allow-gret for app manifest (did you mean "allow-greet"?)',
    ],
  ]
  test('a mistake in a capability has its place in the error', () =>
    rows(mistakes)((_what, value, text) => {
      expect(getMessage({ capabilities: [value] })).toBe(`caps/0.json: ${text}`)
    }))

  test('a misspelt permission has a suggestion', () =>
    rows([
      ['allow-gret', 'unknown permission allow-gret for app manifest (did you mean "allow-greet"?)'],
      ['fs:allow-read-fil', 'unknown permission allow-read-fil for fs (did you mean "fs:allow-read-file"?)'],
      ['core:event:deny-emitt', 'unknown permission deny-emitt for core:event (did you mean "core:event:deny-emit"?)'],
      [
        'core:windows:default',
        'unknown ACL for core:windows, expected one of bare, core, core:app, core:event, core:image, core:menu, core:path, core:resources, core:tray, core:webview, core:window, fs (did you mean "core:window:default"?)',
      ],
      [
        'shell:default',
        'unknown ACL for shell, expected one of bare, core, core:app, core:event, core:image, core:menu, core:path, core:resources, core:tray, core:webview, core:window, fs. Add the plugin "shell" to "plugins" of the core',
      ],
      ['tauri-plugin-fs:default', '"tauri-plugin-fs:default": identifiers cannot start with tauri-plugin-'],
      ['fs:a:b', `"fs:a:b": identifiers can only include a single separator ':'`],
      ['fs:', '"fs:": identifiers cannot have a prefix without a base'],
      ['allow-', '"allow-": identifiers cannot have a trailing hyphen'],
      [
        'allow_greet',
        '"allow_greet": identifiers can only include lowercase ASCII, hyphens which are not leading or trailing, and a single colon if using a prefix (did you mean "allow-greet"?)',
      ],
      ['greet', 'unknown permission greet for app manifest (did you mean "allow-greet"?)'],
      ['fs:read-file', 'unknown permission read-file for fs (did you mean "fs:allow-read-file"?)'],
      [
        'plugin:fs|read_file',
        '"plugin:fs|read_file": identifiers can only include lowercase ASCII, hyphens which are not leading or trailing, and a single colon if using a prefix (did you mean "fs:allow-read-file"?)',
      ],
      [
        'event:default',
        'unknown ACL for event, expected one of bare, core, core:app, core:event, core:image, core:menu, core:path, core:resources, core:tray, core:webview, core:window, fs (did you mean "core:event:default"?)',
      ],
      ['core:event', 'unknown permission event for core (did you mean "core:event:default"?)'],
    ])((identifier, text) => {
      const at = (member: string): string => `caps/0.json: ${member}: capability "main": ${text}`
      expect(getMessage({ capabilities: [capability(['allow-greet', identifier])] })).toBe(at('permissions[1]'))
      expect(getMessage({ capabilities: [capability([{ identifier }])] })).toBe(at('permissions[0].identifier'))
    }))

  test('two capabilities with one identifier are reported with both files', () => {
    expect(getMessage({ capabilities: [capability([]), capability([])] })).toBe(
      'caps/1.json: identifier: capability with identifier `main` already exists: in caps/0.json',
    )
  })

  test('accepts `$schema`, and null if Tauri accepts it', () => {
    const value = { $schema: '../gen/schemas/desktop-schema.json', ...capability([]), remote: null, platforms: null }
    expect(getMessage({ capabilities: [value] })).toBe('no error')
  })

  test('invalid capabilities survive the split of a file, so that they are reported', () => {
    expect(splitCapabilities({ value: 5, from: 'x' })).toEqual([{ value: 5, from: 'x' }])
    expect(splitCapabilities({ value: [], from: 'x' })).toEqual([])
    const [first] = splitCapabilities({ value: [[1]], from: 'x' })
    expect(splitCapabilities(first!)).toEqual([first])
  })
})

describe('a permission file', () => {
  const permission = { identifier: 'x' }
  const mistakes: [what: string, value: unknown, text: string][] = [
    ['unknown key', { permissions: [] }, 'unknown key "permissions" (did you mean "permission"?)'],
    ['a table for a list', { permission }, 'permission: must be an array of permissions: got Object'],
    [
      'a command',
      { permission: [{ ...permission, commands: { allow: [5] } }] },
      'permission[0].commands.allow[0]: must be a string: got 5',
    ],
    [
      'a list of commands',
      { permission: [{ ...permission, commands: ['greet'] }] },
      'permission[0].commands: must be { allow, deny }: got Array',
    ],
    [
      'unknown key of commands',
      { permission: [{ ...permission, commands: { alow: [] } }] },
      'permission[0].commands: unknown key "alow" (did you mean "allow"?)',
    ],
    [
      'a platform',
      { permission: [{ ...permission, platforms: ['mac'] }] },
      'permission[0].platforms[0]: must be "linux", "macOS", "windows", "android" or "iOS": got "mac"',
    ],
    [
      'a permission named default',
      { permission: [{ identifier: 'default', commands: { allow: ['greet'] } }] },
      'permission[0].identifier: must be a name other than "default", which has a table of its own: got "default"',
    ],
    [
      'a set named default',
      { set: [{ identifier: 'default', permissions: [] }] },
      'set[0].identifier: must be a name other than "default", which has a table of its own: got "default"',
    ],
    ['a set without permissions', { set: [{ identifier: 'x' }] }, 'set[0].permissions: is missing'],
    [
      'a set with an unknown permission',
      { set: [{ identifier: 'x', permissions: ['allow-greet', 'allow-gret'] }] },
      'set[0].permissions[1]: permission allow-gret not found from set x (did you mean "allow-greet"?)',
    ],
    [
      'a default with an unknown permission',
      { default: { permissions: ['allow-gret'] } },
      'default.permissions[0]: permission allow-gret not found from set default (did you mean "allow-greet"?)',
    ],
    ['a version', { permission: [{ ...permission, version: 0 }] }, 'permission[0].version: must be 1 or more: got 0'],
    ['a list', [], 'must be a permission file: { default, set, permission }: got Array'],
  ]
  test('a mistake in a manifest has its place in the error', () =>
    rows(mistakes)((_what, value, text) => {
      expect(getMessage({ permissions: { app: value } })).toBe(`permissions/app.toml: ${text}`)
    }))
})

test('a set of a plugin with an unknown permission', () => {
  const text = 'default.permissions[0]: permission allow-read-fil not found from set default'
  const hint = '(did you mean "fs:allow-read-file"?)'
  expect(getMessage({ permissions: { fs: { default: { permissions: ['allow-read-fil'] } } } })).toBe(
    `permissions/fs.toml: ${text} ${hint}`,
  )
})

test('rejects invalid manifests', () => {
  expect(getMessage({ manifests: { fs: null } })).toBe('acl-manifests.json: fs: must be a manifest: got null')
  expect(getMessage({ manifests: { fs: { permissions: [] } } })).toBe(
    'acl-manifests.json: fs.permission_sets: is missing',
  )
  expect(getMessage({ manifests: 5 })).toBe(
    'acl-manifests.json: must be manifests by plugin, as in acl-manifests.json: got 5',
  )
})

describe('permissions of plugins that are not here', () => {
  const project = { isTauriProject: true }

  test('are ignored in a Tauri project, but not unknown ones of other plugins', () => {
    const set = [{ identifier: 'all', permissions: ['allow-greet', 'dialog:default'] }]
    const made = make({
      ...project,
      permissions: { app: { set } },
      capabilities: [capability(['dialog:default', 'core:dpi:default', 'all'])],
    })
    expect(made.may('main', 'greet')).toBe(true)
    expect(made.warnings).toEqual([
      'permissions/app.toml: set[0].permissions[1]: permissions of the plugin dialog are ignored, because this core does not have it',
      'caps/0.json: permissions[1]: capability "main": permissions of the plugin core:dpi are ignored, because this core does not have it',
    ])
    const text = 'unknown permission deny-goo for bare'
    expect(getMessage({ ...project, capabilities: [capability(['bare:deny-goo'])] })).toContain(text)
  })

  test('warns once of each plugin, however many permissions name it', () => {
    const identifiers = ['log:default', 'store:default', 'log:allow-log', 'cli:default', 'store:allow-get']
    const { warnings } = make({ ...project, capabilities: [capability(identifiers)] })
    expect(warnings.map(text => /the plugin (\w+) /.exec(text)?.[1])).toEqual(['log', 'store', 'cli'])
  })

  test('warns of a list of `allow` that has been resolved in silence when commands changed', () => {
    const { authority, warnings } = make(project)
    const allow = { from: 'bus.run: allow', entries: ['bare:allow-go'] }
    authority.addFrontend(1, 'first', { allow })
    authority.replaceCommands(
      [...registry.values()].filter(({ method }) => !method.startsWith('plugin:bare|')),
      [],
    )
    expect(warnings).toEqual([])
    authority.addFrontend(2, 'second', { allow })
    expect(warnings).toEqual([
      'bus.run: allow[0]: permissions of the plugin bare are ignored, because this core does not have it',
    ])
  })

  test('the default set of another plugin is not suggested', () =>
    rows(['log:default', 'store:default', 'cli:default', 'os:default'])(name =>
      expect(getMessage({ capabilities: [capability([name])] })).not.toContain('did you mean'),
    ))

  test('misspelt names are still errors', () =>
    rows(['allow-gret', 'core:event:allow-emitt', 'fs:allow-reed', 'Bad_name'])(name => {
      const options = { ...project, permissions: { fs: { set: [] } }, capabilities: [capability([name])] }
      expect(getMessage(options)).toContain('caps/0.json: permissions[0]')
    }))
})

test('a capability of a file without windows and webviews causes a warning', () => {
  const { warnings } = make({ capabilities: [{ identifier: 'main', permissions: ['allow-greet'] }] })
  expect(warnings).toEqual([
    'caps/0.json: capability "main" applies to no frontend. Add its labels, as in "windows": ["main"]',
  ])
})

test('a missing or empty default set causes a warning', () => {
  const permissions = { fs: { default: { permissions: [] } } }
  const { warnings } = make({ permissions, capabilities: [capability(['bare:default', 'fs:default', 'core:default'])] })
  expect(warnings).toEqual([
    'caps/0.json: permissions[0]: "bare:default" allows nothing, because no default permissions are defined. Name permissions of commands',
    'caps/0.json: permissions[1]: "fs:default" allows nothing, because no default permissions are defined. Name permissions of commands',
  ])
})

test('a scope outside of a permission causes a warning and applies to nothing', () => {
  const file = { permission: [{ identifier: 'read' }], scope: { deny: [{ path: '$APPLOCALDATA/**' }] } }
  const { authority, warnings } = make({ permissions: { fs: file }, capabilities: [capability(['fs:read'])] })
  expect(warnings).toEqual([
    'permissions/fs.toml: scope: ignored, because it belongs to no permission. Write [[permission.scope.allow]] or [[permission.scope.deny]]',
  ])
  expect(authority.getGlobalScope('fs').deny).toEqual([])
})

test('few lists of `allow` are kept, and those that were resolved lately', () => {
  const options = getResolveOptions({ acl: toAcl({}), commands: registry.values(), pluginFiles: [], warn: () => {} })
  for (let run = 0; run < 1000; run++) {
    resolveAllowList(`run-${run}`, { from: `allow of ${run}`, entries: ['greet'] }, options)
    expect(options.allowLists.size).toBeLessThanOrEqual(16)
  }
  expect([...options.allowLists.keys()].at(-1)).toContain('allow of 999')
})

// In a `deny` it would deny nothing.
test('unknown commands of a permission file are reported with the nearest known one', () => {
  const { warnings } = make({
    permissions: {
      app: {
        permission: [
          { identifier: 'fine', commands: { allow: ['greet', 'save_file'] } },
          { identifier: 'typing', commands: { allow: ['save_fiel'], deny: ['add', 'greeet'] } },
        ],
      },
      fs: { permission: [{ identifier: 'odd', commands: { deny: ['reed_file', 'something_else'] } }] },
      // Not of this core.
      dialog: { permission: [{ identifier: 'open', commands: { allow: ['open'] } }] },
    },
  })
  expect(warnings).toEqual([
    'permissions/app.toml: permission[1].commands.allow: there is no command "save_fiel" (did you mean "save_file"?)',
    'permissions/app.toml: permission[1].commands.deny: there is no command "greeet" (did you mean "greet"?)',
    'permissions/fs.toml: permission[0].commands.deny: there is no command "reed_file" (did you mean "read_file"?)',
  ])
})
