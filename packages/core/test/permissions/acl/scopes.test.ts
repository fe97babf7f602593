// The values that handlers find in `ctx.scope`.
import { describe, expect, test } from 'vitest'
import type { CommandScope } from '../../../src/acl/types.js'
import { rows } from '../../../../../scripts/testing.js'
import { capability, type Made, make, registry } from './make.js'

const READ_FILE = 'plugin:fs|read_file'
const getScope = ({ authority }: Made, method: string, label = 'main'): CommandScope =>
  authority.getPermits(label).getScope(registry.get(method)!)

const permissions = {
  fs: {
    permission: [
      { identifier: 'in-app', commands: { allow: ['read_file'] }, scope: { allow: ['$APP/**'], deny: ['$APP/*.db'] } },
      { identifier: 'scope-home', scope: { allow: ['$HOME'] } },
      { identifier: 'no-secrets', commands: { allow: [], deny: [] }, scope: { deny: ['secret'] } },
      { identifier: 'deny-write', commands: { deny: ['write_file'] }, scope: { allow: ['never'] } },
    ],
    set: [{ identifier: 'home', permissions: ['allow-read-dir', 'scope-home', 'no-secrets'] }],
  },
}

describe('the scope of a command', () => {
  test("joins the scopes of all permissions that allow it, the capability's first", () => {
    const made = make({
      permissions,
      capabilities: [
        capability([{ identifier: 'fs:in-app', allow: ['more'], deny: ['less'] }, 'fs:allow-read-dir'], {
          identifier: 'b',
        }),
        capability([{ identifier: 'fs:allow-read-file', allow: ['/a'] }], { identifier: 'a' }),
        capability([{ identifier: 'fs:allow-read-file', allow: ['/editor'] }], {
          identifier: 'c',
          windows: ['editor'],
        }),
      ],
    })
    const { allow, deny } = getScope(made, READ_FILE)
    expect({ allow, deny }).toEqual({ allow: ['/a', 'more', '$APP/**'], deny: ['less', '$APP/*.db'] })
    expect(getScope(made, 'plugin:fs|read_dir')).toMatchObject({ allow: [], deny: [] })
    expect(getScope(made, READ_FILE, 'editor').allow).toEqual(['/editor'])
  })

  test('a set applies its scopes to its own commands, and its denials also to the whole plugin', () => {
    const made = make({ permissions, capabilities: [capability(['fs:home', 'fs:allow-read-file'])] })
    expect(getScope(made, 'plugin:fs|read_dir')).toMatchObject({ allow: ['$HOME'], deny: ['secret'] })
    expect(getScope(made, READ_FILE)).toMatchObject({ allow: [], deny: [] })
    expect(getScope(made, READ_FILE).global).toMatchObject({ allow: [], deny: ['secret'] })
  })

  test('permissions without commands add to the global scope of their plugin, for the labels of their capability', () => {
    const made = make({
      permissions,
      capabilities: [
        capability([
          'fs:scope-home',
          { identifier: 'fs:no-secrets', allow: ['x'] },
          'bare:allow-go',
          'fs:allow-read-file',
        ]),
        capability(['fs:allow-read-file'], { identifier: 'editor', windows: ['editor'] }),
      ],
    })
    expect(getScope(made, READ_FILE).global).toMatchObject({ allow: ['$HOME', 'x'], deny: ['secret'] })
    expect(getScope(made, 'plugin:bare|go').global).toMatchObject({ allow: [], deny: [] })
    expect(getScope(made, READ_FILE, 'editor').global).toMatchObject({ allow: [], deny: [] })
    expect(made.authority.getGlobalScope('fs')).toMatchObject({ allow: ['$HOME', 'x'], deny: ['secret'] })
  })

  test('is empty for open and denied commands', () => {
    const made = make({
      permissions,
      capabilities: [capability([{ identifier: 'fs:deny-write', allow: ['x'] }, 'fs:allow-write-file'])],
    })
    expect(getScope(made, 'plugin:event|emit')).toMatchObject({ allow: [], deny: [] })
    expect(getScope(made, 'plugin:fs|write_file')).toMatchObject({ allow: [], deny: [] })
    expect(made.authority.getGlobalScope('fs')).toMatchObject({ allow: [], deny: [] })
  })

  test("is the same frozen object for every call, and the caller's values stay unfrozen", () => {
    const value = { path: { of: ['x'] } }
    const made = make({ capabilities: [capability([{ identifier: 'fs:allow-read-file', allow: [value] }])] })
    const permits = made.authority.getPermits('main')
    const scope = permits.getScope(registry.get(READ_FILE)!)
    expect(permits.getScope(registry.get(READ_FILE)!)).toBe(scope)
    const [frozen] = scope.allow as (typeof value)[]
    expect([scope, scope.allow, scope.global, scope.global.deny, frozen, frozen!.path.of].every(Object.isFrozen)).toBe(
      true,
    )
    expect(Object.isFrozen(value)).toBe(false)
  })

  test('matches as in Tauri', () => {
    const matches = (allow: string[], deny: string[], value: string): boolean => {
      const permission = { identifier: 'fs:allow-read-file', allow, deny }
      return getScope(make({ capabilities: [capability([permission])] }), READ_FILE).matches(entry => entry === value)
    }
    expect(matches([], [], 'a')).toBe(true)
    expect(matches(['a'], [], 'a')).toBe(true)
    expect(matches(['b'], [], 'a')).toBe(false)
    expect(matches(['a'], ['a'], 'a')).toBe(false)
    expect(matches([], ['a'], 'a')).toBe(false)
  })
})

describe('the check of a plugin', () => {
  const scopeChecks = new Map([
    [
      'fs',
      (value: unknown) => {
        if (typeof value !== 'string') throw new Error('a path must be a string')
      },
    ],
  ])

  test('refuses a capability with an invalid value', () =>
    rows([
      ['a command', 'fs:allow-read-file'],
      ['the whole plugin', 'fs:scope-home'],
    ])((_name, identifier) => {
      const capabilities = [capability([{ identifier, deny: [{ path: 1 }] }])]
      expect(() => make({ permissions, capabilities, scopeChecks })).toThrow(
        'permissions[0]: invalid scope for plugin fs: a path must be a string',
      )
    }))

  test('refuses an invalid capability that is added later', () => {
    const { authority } = make({ permissions, scopeChecks })
    const value = capability([{ identifier: 'fs:allow-read-file', allow: [1] }])
    expect(() => authority.add({ value, from: 'bus.addCapability' })).toThrow('invalid scope for plugin fs')
    expect(() =>
      authority.addFrontend(1, 'main', {
        allow: { entries: [{ permission: 'fs:allow-read-file', allow: [1] }], from: 'allow' },
      }),
    ).toThrow('invalid scope for plugin fs')
  })

  test('does not see the values of other plugins', () => {
    expect(() =>
      make({ capabilities: [capability([{ identifier: 'bare:allow-go', allow: [1] }])], scopeChecks }),
    ).not.toThrow()
  })
})
