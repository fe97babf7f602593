// The explanation says what the authority does, label by label.
import { describe, expect, test } from 'vitest'
import { explain, type ExplainInput } from '../../src/acl/explain.js'
import { renderExplanation } from '../../src/acl/explain.js'
import { aclOf, capability, core, make, registry } from './make.js'

const options = {
  capabilities: [
    capability(['allow-greet', { identifier: 'fs:allow-read-file', allow: ['/a'] }], {
      windows: ['main', 'guest-[ab]'],
    }),
    capability(['deny-greet', 'dialog:allow-open', 'fs:secrets', 'core:event:deny-emit'], {
      identifier: 'guests',
      windows: ['guest-*'],
    }),
    capability(['allow-add'], { identifier: 'mac', platforms: ['macOS'] }),
  ],
  permissions: { fs: { permission: [{ identifier: 'secrets', scope: { deny: ['/s'] } }] } },
  manifests: {
    dialog: {
      permissions: { 'allow-open': { identifier: 'allow-open', commands: { allow: ['open'] } } },
      permission_sets: {},
    },
  },
}
const explained = (more: Partial<ExplainInput> = {}): ReturnType<typeof explain> =>
  explain({ acl: aclOf(options), core, ...more })

describe('an explanation', () => {
  test('names what allows and denies each command, with its scope', () => {
    const { frontends, capabilities, warnings } = explained()
    expect(frontends.map(({ label }) => label)).toEqual(['guest-*', 'guest-a', 'main'])
    const [, guest, main] = frontends
    const of = (frontend: typeof guest, name: string): unknown =>
      frontend!.commands.find(({ command }) => command === name)
    expect(of(main, 'greet')).toEqual({
      command: 'greet',
      access: 'allowed',
      by: [{ capability: 'main', permission: 'allow-greet' }],
      scope: undefined,
    })
    expect(of(main, 'plugin:fs|read_file')).toMatchObject({ access: 'allowed', scope: { allow: ['/a'], deny: [] } })
    expect(of(main, 'add')).toMatchObject({ access: 'closed', by: [] })
    expect(of(main, 'plugin:event|emit')).toMatchObject({ access: 'open' })
    expect(of(guest, 'greet')).toMatchObject({
      access: 'denied',
      by: [{ capability: 'guests', permission: 'deny-greet' }],
    })
    expect(of(guest, 'plugin:event|emit')).toMatchObject({ access: 'denied' })
    expect(of(guest, 'plugin:dialog|open')).toMatchObject({ access: 'allowed' })
    expect(guest).toMatchObject({ capabilities: ['guests', 'main'], globalScopes: { fs: { allow: [], deny: ['/s'] } } })
    expect(capabilities.map(({ capability: { identifier }, from, isActive }) => [identifier, from, isActive])).toEqual([
      ['guests', 'caps/1.json', true],
      ['mac', 'caps/2.json', false],
      ['main', 'caps/0.json', true],
    ])
    expect(warnings).toEqual([])
  })

  test.each(['brownfield', 'isolation'] as const)('agrees with the authority: %s', pattern => {
    for (const given of [options, {}]) {
      const { may } = make({ ...given, pattern })
      const labels = ['main', 'guest-a', 'guest-x', 'nobody']
      for (const { label, commands } of explained({ acl: aclOf(given), pattern, labels }).frontends) {
        for (const { command, access } of commands.filter(each => registry.has(each.command))) {
          expect([label, command, may(label, command)]).toEqual([
            label,
            command,
            access === 'allowed' || access === 'open',
          ])
        }
      }
    }
  })

  test('renders as text', () => {
    expect(renderExplanation(explained({ labels: ['guest-a', 'nobody'] }))).toBe(`guest-a (guests, main)
  greet                denied   guests: deny-greet
  plugin:dialog|open   allowed  guests: dialog:allow-open
  plugin:event|emit    denied   guests: core:event:deny-emit
  plugin:fs|read_file  allowed  main: fs:allow-read-file allow ["/a"]
  global scope of fs: deny ["/s"]
  closed: add, plugin:bare|go, plugin:fs|read_dir, plugin:fs|write_file, save_file
  open to all: the defaults of core:event, core:path, core:app and core:resources

nobody (no capability)
  closed: add, greet, plugin:bare|go, plugin:fs|read_dir, plugin:fs|read_file, plugin:fs|write_file, save_file
  open to all: the defaults of core:event, core:path, core:app and core:resources

not in force on this platform: mac (caps/2.json)
`)
  })

  test('reports what it ignores, and fails on what fails a start', () => {
    const acl = aclOf({ capabilities: [capability(['dialog:default'])], unknownPermissions: 'warn' })
    expect(explained({ acl }).warnings).toHaveLength(1)
    expect(() => explained({ acl: { ...acl, unknownPermissions: 'error' } })).toThrow('unknown ACL for dialog')
  })
})
