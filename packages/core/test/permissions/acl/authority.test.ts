// The permissions of callers by Tauri's rules, in every form that capabilities and permission files have.
import { describe, expect, test } from 'vitest'
import type { AllowList } from '../../../src/acl/types.js'
import { capability, make, registry, source } from './make.js'

const READ_FILE = 'plugin:fs|read_file'
const READ_DIR = 'plugin:fs|read_dir'

test('what names a plugin that was removed is no mistake, and counts again once it returns', () => {
  const { authority, may, warnings } = make({ capabilities: [capability(['bare:allow-go'], { windows: ['main'] })] })
  authority.addFrontend(2, 'listed', { allow: { from: 'bus.connect: allow', entries: ['bare:allow-go'] } })
  const all = [...registry.values()]
  const others = all.filter(({ method }) => !method.startsWith('plugin:bare|'))
  for (const commands of [others, others, all]) authority.replaceCommands(commands, [])
  expect(warnings).toEqual([])
  expect(['main', 'listed'].map(label => may(label, 'plugin:bare|go'))).toEqual([true, true])
})

test('the next core has what was added and not what was removed, without a warning for a command that is gone', () => {
  const { authority, may, warnings } = make({ capabilities: [capability(['allow-add'], { identifier: 'first' })] })
  const second = capability(['allow-greet', 'bare:allow-gone'], { identifier: 'second' })
  authority.restore({ added: new Map([['second', second]]), removed: new Set(['first']) })
  expect(['add', 'greet'].map(method => may('main', method))).toEqual([false, true])
  expect(warnings).toEqual([])
})

describe('permissions', () => {
  test('sets hold permissions, other sets, the default, and those of other plugins', () => {
    const { may } = make({
      permissions: {
        app: {
          set: [
            { identifier: 'all', permissions: ['inner', 'fs:reading'] },
            { identifier: 'inner', permissions: ['allow-greet'] },
          ],
        },
        fs: {
          default: { permissions: ['allow-read-dir'] },
          set: [{ identifier: 'reading', description: 'x', permissions: ['default', 'just-files'] }],
          permission: [{ identifier: 'just-files', commands: { allow: ['read_file'] } }],
        },
      },
      capabilities: [capability(['all'])],
    })
    expect(['greet', READ_DIR, READ_FILE].map(method => may('main', method))).toEqual([true, true, true])
    expect(['add', 'plugin:fs|write_file'].map(method => may('main', method))).toEqual([false, false])
  })

  test('the default permission of a plugin is that of its file, and empty without a file', () => {
    const fs = { default: { permissions: ['allow-read-file'] } }
    const bare = { permission: [{ identifier: 'more', commands: { allow: ['go'] } }] }
    for (const permissions of [{ fs }, { fs, bare }]) {
      const { may } = make({ permissions, capabilities: [capability(['fs:default', 'bare:default'])] })
      expect(may('main', READ_FILE)).toBe(true)
      expect(may('main', READ_DIR)).toBe(false)
      expect(may('main', 'plugin:bare|go')).toBe(false)
    }
  })

  test('sets that contain themselves, or one another many times, are resolved', () => {
    const twice = (name: string): string[] => [name, name]
    const chain = Array.from({ length: 60 }, (_, index) => ({
      identifier: `s${index}`,
      permissions: index === 59 ? ['allow-greet', 's0'] : twice(`s${index + 1}`),
    }))
    const { may } = make({ permissions: { app: { set: chain } }, capabilities: [capability(['s0'])] })
    expect(may('main', 'greet')).toBe(true)
  })

  test('the last definition of a name wins, also over the generated one', () => {
    const permission = [{ identifier: 'allow-greet', commands: { allow: ['add'] } }]
    const { may } = make({ permissions: { app: { permission } }, capabilities: [capability(['allow-greet'])] })
    expect([may('main', 'greet'), may('main', 'add')]).toEqual([false, true])
  })

  test('manifests of a real project are accepted, even if core lacks their commands', () => {
    const manifests = {
      fs: {
        default_permission: { identifier: 'default', description: 'x', permissions: ['read-all', 'deny-secrets'] },
        permissions: {
          'deny-secrets': {
            identifier: 'deny-secrets',
            description: null,
            commands: { allow: [], deny: [] },
            scope: { deny: [{ path: '/s' }] },
          },
        },
        permission_sets: {
          'read-all': { identifier: 'read-all', description: 'x', permissions: ['allow-read-file', 'allow-stat'] },
        },
        global_scope_schema: { type: 'object' },
      },
      opener: {
        default_permission: { identifier: 'default', description: 'x', permissions: ['allow-open-url'] },
        permissions: {
          'allow-open-url': { identifier: 'allow-open-url', commands: { allow: ['open_url'], deny: [] } },
        },
        permission_sets: {},
        global_scope_schema: null,
      },
    }
    manifests.fs.permissions = {
      ...manifests.fs.permissions,
      'allow-stat': { identifier: 'allow-stat', commands: { allow: ['stat'], deny: [] } },
    } as never
    const { may } = make({ manifests, capabilities: [capability(['fs:default', 'opener:default'])] })
    expect(may('main', READ_FILE)).toBe(true)
    expect(may('main', READ_DIR)).toBe(false)
  })

  test("accepts Tauri's core permissions, most of which have no effect", () => {
    const { may } = make({
      capabilities: [
        capability([
          'core:window:allow-set-title',
          'core:webview:deny-print',
          'core:tray:default',
          'core:menu:allow-popup',
        ]),
        capability(['core:default'], { identifier: 'other', windows: ['other'] }),
      ],
    })
    expect(may('main', 'plugin:window|set_title')).toBe(true)
    expect(may('main', 'plugin:window|get_all_windows')).toBe(false)
    expect(may('other', 'plugin:window|get_all_windows')).toBe(true)
    expect(may('other', 'plugin:window|set_title')).toBe(false)
  })
})

describe('capabilities', () => {
  test('apply to labels that match a glob of windows or of webviews', () => {
    const { may } = make({ capabilities: [capability(['allow-greet'], { windows: ['a-*'], webviews: ['b', 'c?'] })] })
    expect(['a-1', 'b', 'cd', 'c', 'main'].map(label => may(label, 'greet'))).toEqual([true, true, true, false, false])
  })

  test('allow nothing if they are for remote pages only', () => {
    const remote = { urls: ['https://*.example.com'] }
    const { may } = make({
      capabilities: [
        capability(['allow-greet'], { local: false, remote }),
        capability(['allow-add'], { identifier: 'both', remote }),
      ],
    })
    expect([may('main', 'greet'), may('main', 'add')]).toEqual([false, true])
  })

  test('allow nothing if they are for other platforms, and can name missing plugins', () => {
    const capabilities = [
      capability(['allow-greet', 'barcode-scanner:default'], { platforms: ['android', 'iOS'] }),
      capability(['allow-add'], { identifier: 'desktop', platforms: ['linux', 'macOS', 'windows'] }),
    ]
    expect(make({ capabilities }).may('main', 'greet')).toBe(false)
    expect(make({ capabilities }).may('main', 'add')).toBe(true)
    expect(() => make({ capabilities, platform: 'android' })).toThrow('unknown ACL for barcode-scanner')
  })

  test('permissions for other platforms allow nothing', () => {
    const permission = [{ identifier: 'mac', commands: { allow: ['greet'] }, platforms: ['macOS'] }]
    const options = { permissions: { app: { permission } }, capabilities: [capability(['mac'])] }
    expect(make(options).may('main', 'greet')).toBe(false)
    expect(make({ ...options, platform: 'macOS' }).may('main', 'greet')).toBe(true)
  })

  test('a deny overrides every allow, only for the labels of its capability', () => {
    const { may } = make({
      capabilities: [
        capability(['allow-greet', 'core:event:default'], { windows: ['*'] }),
        capability(['deny-greet', 'core:event:deny-emit'], { identifier: 'editors', windows: ['editor'] }),
      ],
    })
    expect([may('main', 'greet'), may('editor', 'greet')]).toEqual([true, false])
    expect([may('main', 'plugin:event|emit'), may('editor', 'plugin:event|emit')]).toEqual([true, false])
  })
})

describe('without a capability', () => {
  test('events, information about the app and resources need no permission, and everything else does', () => {
    const { may } = make()
    expect(
      ['plugin:event|emit', 'plugin:app|version', 'plugin:resources|close'].map(each => may('main', each)),
    ).toEqual([...[true, true, true]])
    const others = ['greet', 'plugin:path|join', 'plugin:window|get_all_windows', READ_FILE]
    expect(others.map(each => may('main', each))).toEqual([false, false, false, false])
  })

  test('trusted code may call every app command and the core plugins, but no other plugin', () => {
    const { authority, may } = make()
    authority.addFrontend(1, 'main', { isTrusted: true })
    expect(['greet', 'plugin:path|join', READ_FILE].map(each => may('main', each))).toEqual([true, true, false])
    expect(may('other', 'greet')).toBe(false)
    authority.removeFrontend(1)
    expect(may('main', 'greet')).toBe(false)
  })

  test('trusted code that a capability or `allow` names has only what these name', () => {
    const { authority, may } = make({ capabilities: [capability(['allow-greet'], { windows: ['main'] })] })
    authority.addFrontend(1, 'main', { isTrusted: true })
    authority.addFrontend(2, 'listed', { isTrusted: true, allow: { entries: ['add'], from: 'allow' } })
    expect([may('main', 'greet'), may('main', 'add')]).toEqual([true, false])
    expect([may('listed', 'greet'), may('listed', 'add')]).toEqual([false, true])
  })

  test('belong to a frontend, and not to the next one with its label', () => {
    const { authority } = make()
    const first = authority.addFrontend(1, 'main', { allow: { entries: ['greet'], from: 'allow' } })
    const second = authority.addFrontend(2, 'main', { allow: { entries: ['add'], from: 'allow' } })
    authority.removeFrontend(1)
    const seen = [first, second, authority.getPermitsOfLatest('main')].map(each => [
      each.permits('greet'),
      each.permits('add'),
    ])
    expect(seen).toEqual([
      [true, false],
      [false, true],
      [false, true],
    ])
  })

  test('of trusted code that has ended stay limited when the capability that names it is removed', () => {
    const { authority } = make()
    authority.add(source(capability(['allow-greet'], { windows: ['main'] })))
    const permits = authority.addFrontend(1, 'main', { isTrusted: true })
    authority.removeFrontend(1)
    authority.remove('main')
    expect(permits.permits('add')).toBe(false)
  })

  test('trusted code stays named by a capability that was removed', () => {
    const { authority, may } = make({ capabilities: [capability(['allow-greet'], { windows: ['main'] })] })
    authority.addFrontend(1, 'main', { isTrusted: true })
    authority.remove('main')
    expect(may('main', 'greet')).toBe(false)
  })

  test('in a Tauri project app commands need a permission only if the app has a file or a manifest of them', () => {
    const isOpen = (options: Parameters<typeof make>[0]): boolean =>
      make({ isTauriProject: true, ...options }).may('x', 'add')
    expect(isOpen({})).toBe(true)
    expect(isOpen({ capabilities: [capability(['allow-greet'])] })).toBe(true)
    expect(isOpen({ permissions: { fs: { set: [] } } })).toBe(true)
    expect(isOpen({ permissions: { app: { set: [] } } })).toBe(false)
  })
})

describe('allow', () => {
  const list = (...entries: AllowList['entries']): AllowList => ({ entries, from: 'allow' })

  test('"*" is every app command and the core plugins, but no other plugin', () => {
    const { authority, may } = make()
    authority.addFrontend(1, 'main', { allow: list('*') })
    expect(['greet', 'add', 'plugin:path|join', READ_FILE].map(each => may('main', each))).toEqual([
      ...[true, true, true, false],
    ])
  })

  test('can name values for the scope of a permission', () => {
    const { authority } = make()
    const entry = { permission: 'fs:allow-read-file', allow: ['/tmp'], deny: ['/tmp/x'] }
    authority.addFrontend(1, 'main', { allow: list(entry) })
    const { allow, deny } = authority.getPermitsOfLatest('main').getScope(registry.get(READ_FILE)!)
    expect([allow, deny]).toEqual([['/tmp'], ['/tmp/x']])
  })

  test('takes the name of a command in place of its permission', () => {
    const { authority } = make()
    authority.addFrontend(1, 'main', { allow: list({ permission: READ_FILE, allow: ['/tmp'] }) })
    expect(authority.getPermitsOfLatest('main').getScope(registry.get(READ_FILE)!).allow).toEqual(['/tmp'])
  })

  test('changes nothing for other frontends', () => {
    const { authority, may } = make()
    authority.addFrontend(1, 'main', { isTrusted: true })
    authority.addFrontend(2, 'plugin', { allow: list('greet') })
    expect([may('main', 'add'), may('plugin', 'add'), may('third', 'greet')]).toEqual([true, false, false])
  })
})

describe('changes at run time', () => {
  test('apply from the next call on, also to permits that exist already', () => {
    const { authority } = make()
    const permits = authority.addFrontend(1, 'main', { allow: { entries: ['greet'], from: 'allow' } })
    const may = (method: string): boolean => permits.check(registry.get(method)!) === undefined
    expect([may('greet'), may(READ_FILE)]).toEqual([true, false])
    authority.add(source(capability(['allow-add', { identifier: 'fs:allow-read-file', allow: ['/tmp'] }])))
    expect([may('greet'), may('add'), may(READ_FILE)]).toEqual([true, true, true])
    expect(permits.getScope(registry.get(READ_FILE)!).allow).toEqual(['/tmp'])
    expect(permits.getScopeByMethod(READ_FILE).allow).toEqual(['/tmp'])
    expect(permits.getScopeByMethod('plugin:x|unknown').allow).toEqual([])
    authority.remove('main')
    expect([may('greet'), may('add'), may(READ_FILE)]).toEqual([true, false, false])
  })

  test('an invalid capability changes nothing', () => {
    const { authority, may } = make({ capabilities: [capability(['allow-greet'])] })
    const wrong = (value: unknown): string => {
      try {
        authority.add(source(value))
      } catch (error) {
        return (error as Error).message
      }
      return 'taken'
    }
    expect(wrong(capability(['allow-add', 'allow-gret'], { identifier: 'x' }))).toBe(
      'bus.addCapability: permissions[1]: capability "x": unknown permission allow-gret for app manifest (did you mean "allow-greet"?)',
    )
    expect(wrong(capability(['allow-add']))).toBe(
      'bus.addCapability: identifier: capability with identifier `main` already exists: in caps/0.json',
    )
    expect(wrong(undefined)).toBe('bus.addCapability: is missing')
    expect(wrong([capability(['allow-add'])])).toBe('bus.addCapability: must be a capability: got Array')
    expect(may('main', 'add')).toBe(false)
    expect(() => authority.remove('mai')).toThrow('no capability "mai" (did you mean "main"?)')
    expect(may('main', 'greet')).toBe(true)
  })
})
