// The explanation agrees with the authority about each label. A denied caller has Tauri's text, and in development a remedy.
import { describe, expect, test } from 'vitest'
import { getDenialText } from '../../../src/acl/authority.js'
import { explain, type ExplainInput } from '../../../src/acl/explain.js'
import { renderExplanation } from '../../../src/acl/explain.js'
import { rows } from '../../../../../scripts/testing.js'
import { toAcl, capability, core, make, registry } from './make.js'

const options = {
  capabilities: [
    capability(['allow-greet', { identifier: 'fs:allow-read-file', allow: ['/a'] }], {
      windows: ['main', 'editor-[ab]'],
    }),
    capability(['deny-greet', 'dialog:allow-open', 'fs:secrets', 'core:event:deny-emit'], {
      identifier: 'editors',
      windows: ['editor-*'],
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
  explain({ acl: toAcl(options), core, ...more })

describe('an explanation', () => {
  test('names what allows and denies each command, with its scope', () => {
    const { frontends, capabilities, warnings } = explained()
    expect(frontends.map(({ label }) => label)).toEqual(['editor-*', 'editor-a', 'main'])
    const [, editor, main] = frontends
    const findCommand = (frontend: typeof editor, name: string): unknown =>
      frontend!.commands.find(({ command }) => command === name)
    expect(findCommand(main, 'greet')).toEqual({
      command: 'greet',
      access: 'allowed',
      by: [{ capability: 'main', permission: 'allow-greet' }],
      scope: undefined,
    })
    expect(findCommand(main, 'plugin:fs|read_file')).toMatchObject({
      access: 'allowed',
      scope: { allow: ['/a'], deny: [] },
    })
    expect(findCommand(main, 'add')).toMatchObject({ access: 'closed', by: [] })
    expect(findCommand(main, 'plugin:event|emit')).toMatchObject({ access: 'allowed' })
    expect(findCommand(editor, 'greet')).toMatchObject({
      access: 'denied',
      by: [{ capability: 'editors', permission: 'deny-greet' }],
    })
    expect(findCommand(editor, 'plugin:event|emit')).toMatchObject({ access: 'denied' })
    expect(findCommand(editor, 'plugin:dialog|open')).toMatchObject({ access: 'allowed' })
    expect(editor).toMatchObject({
      capabilities: ['editors', 'main'],
      globalScopes: { fs: { allow: [], deny: ['/s'] } },
    })
    expect(capabilities.map(({ capability: { identifier }, from, isActive }) => [identifier, from, isActive])).toEqual([
      ['editors', 'caps/1.json', true],
      ['mac', 'caps/2.json', false],
      ['main', 'caps/0.json', true],
    ])
    expect(warnings).toEqual([])
  })

  test('agrees with the authority, in a Tauri project and without one', () =>
    rows([false, true])(isTauriProject => {
      for (const base of [options, {}]) {
        const input = { ...base, isTauriProject }
        const { may } = make(input)
        const labels = ['main', 'editor-a', 'editor-x', 'other']
        for (const { label, commands } of explained({ acl: toAcl(input), labels }).frontends) {
          for (const { command, access } of commands.filter(each => registry.has(each.command))) {
            expect([label, command, may(label, command)]).toEqual([label, command, access === 'allowed'])
          }
        }
      }
    }))

  test('renders as text', () => {
    expect(renderExplanation(explained({ labels: ['editor-a', 'other'] }))).toBe(`editor-a (editors, main)
  greet                denied   editors: deny-greet
  plugin:dialog|open   allowed  editors: dialog:allow-open
  plugin:event|emit    denied   editors: core:event:deny-emit
  plugin:fs|read_file  allowed  main: fs:allow-read-file allow ["/a"]
  global scope of fs: deny ["/s"]
  closed: add, plugin:bare|go, plugin:fs|read_dir, plugin:fs|write_file, save_file
  allowed to all: the defaults of core:event, core:app and core:resources

other (no capability)
  closed: add, greet, plugin:bare|go, plugin:fs|read_dir, plugin:fs|read_file, plugin:fs|write_file, save_file
  allowed to all: the defaults of core:event, core:app and core:resources

not in force on this platform: mac (caps/2.json)
`)
  })

  test('warns of permissions that it ignores, and throws if a start would fail', () => {
    const acl = toAcl({ capabilities: [capability(['dialog:default'])] })
    expect(explained({ acl: { ...acl, isTauriProject: true } }).warnings).toHaveLength(1)
    expect(() => explained({ acl })).toThrow('unknown ACL for dialog')
  })
})

const READ_FILE = 'plugin:fs|read_file'

test('the message of a denial in development names the permission to add, or the one that denies the command', () => {
  expect(make().check('main', READ_FILE)?.message).toBe(
    'Command plugin:fs|read_file not allowed by ACL: add "fs:allow-read-file" to the permissions of a capability whose windows match "main"',
  )
  const capabilities = [
    capability(['allow-greet']),
    capability(['deny-greet'], { identifier: 'x' }),
    capability(['deny-greet'], { identifier: 'other', windows: ['other'] }),
  ]
  expect(make({ capabilities }).check('main', 'greet')?.message).toBe(
    'Command greet not allowed by ACL: "deny-greet" is among the permissions of a capability for "main"',
  )
})

test("the message of a denial in production is only Tauri's", () => {
  expect(getDenialText(registry.get(READ_FILE)!)).toBe('Command plugin:fs|read_file not allowed by ACL')
})
