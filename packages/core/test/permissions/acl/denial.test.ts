// The error of a denied caller: Tauri's text, and in development a remedy. Tauri's details are for the host.
import { describe, expect, test } from 'vitest'
import { getDenialText } from '../../../src/acl/authority.js'
import { capability, make, registry } from './make.js'

const READ_FILE = 'plugin:fs|read_file'
/** Returns the message of the caller, and what the host learns. */
function getTexts(options: Parameters<typeof make>[0], method: string): unknown[] {
  const made = make(options)
  return [made.check('main', method)?.message, made.getDetails('main', method)]
}

describe('the message of a denial in development', () => {
  test('names the permission to add if no capability allows the command', () => {
    const permissions = {
      fs: {
        default: { permissions: ['reading'] },
        set: [{ identifier: 'reading', permissions: ['allow-read-file'] }],
        permission: [{ identifier: 'own', commands: { allow: ['read_file'] } }],
      },
    }
    expect(getTexts({ permissions }, READ_FILE)).toEqual([
      `Command plugin:fs|read_file not allowed by ACL: add "fs:allow-read-file" to the permissions of a capability whose windows match "main"`,
      `fs.read_file not allowed. Permissions associated with this command: fs:allow-read-file, fs:default, fs:own, fs:reading`,
    ])
  })

  test('lists the capabilities that allow the command to other frontends', () => {
    const capabilities = [
      capability(['allow-greet'], { identifier: 'a', windows: ['editor-*', 'b'], webviews: ['c'] }),
      capability(['allow-greet'], { identifier: 'd', local: false, windows: [], platforms: ['linux'] }),
    ]
    expect(getTexts({ capabilities }, 'greet')).toEqual([
      `Command greet not allowed by ACL: add "allow-greet" to the permissions of a capability whose windows match "main"`,
      `greet not allowed on window "main", webview "main", URL: local

allowed on: [windows: "editor-*", "b", webviews: "c", URL: local], [URL: remote alone, platforms: linux]

referenced by: capability: a, permission: allow-greet || capability: d, permission: allow-greet`,
    ])
  })

  test('names the permission that denies the command', () => {
    const capabilities = [
      capability(['allow-greet']),
      capability(['deny-greet'], { identifier: 'x' }),
      capability(['deny-greet'], { identifier: 'other', windows: ['other'] }),
    ]
    expect(getTexts({ capabilities }, 'greet')).toEqual([
      `Command greet not allowed by ACL: "deny-greet" is among the permissions of a capability for "main"`,
      `greet explicitly denied on origin local

referenced by: capability: x, permission: deny-greet`,
    ])
  })
})

test("the message of a denial in production is only Tauri's", () => {
  expect(getDenialText(registry.get(READ_FILE)!)).toBe('Command plugin:fs|read_file not allowed by ACL')
})
