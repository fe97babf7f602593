// The error of a denied caller: Tauri's text in production, Tauri's details and a remedy in development.
import { describe, expect, test } from 'vitest'
import { denialText } from '../../src/acl/denial.js'
import { capability, make, registry } from './make.js'

const READ_FILE = 'plugin:fs|read_file'
const getText = (options: Parameters<typeof make>[0], method: string): string | undefined =>
  make(options).check('main', method)?.message

describe('in development', () => {
  test('nothing allows it for anybody', () => {
    const permissions = {
      fs: {
        default: { permissions: ['reading'] },
        set: [{ identifier: 'reading', permissions: ['allow-read-file'] }],
        permission: [{ identifier: 'own', commands: { allow: ['read_file'] } }],
      },
    }
    expect(getText({ permissions }, READ_FILE)).toBe(
      `Command plugin:fs|read_file not allowed by ACL: add "fs:allow-read-file" to the permissions of a capability whose windows match "main"

fs.read_file not allowed. Permissions associated with this command: fs:allow-read-file, fs:default, fs:own, fs:reading`,
    )
  })

  test('it is allowed elsewhere', () => {
    const capabilities = [
      capability(['allow-greet'], { identifier: 'a', windows: ['guest-*', 'b'], webviews: ['c'] }),
      capability(['allow-greet'], { identifier: 'd', local: false, windows: [], platforms: ['linux'] }),
    ]
    expect(getText({ capabilities }, 'greet')).toBe(
      `Command greet not allowed by ACL: add "allow-greet" to the permissions of a capability whose windows match "main"

greet not allowed on window "main", webview "main", URL: local

allowed on: [windows: "guest-*", "b", webviews: "c", URL: local], [URL: remote alone, platforms: linux]

referenced by: capability: a, permission: allow-greet || capability: d, permission: allow-greet`,
    )
  })

  test('it is denied', () => {
    const capabilities = [
      capability(['allow-greet']),
      capability(['deny-greet'], { identifier: 'x' }),
      capability(['deny-greet'], { identifier: 'other', windows: ['other'] }),
    ]
    expect(getText({ capabilities }, 'greet')).toBe(
      `Command greet not allowed by ACL: "deny-greet" is among the permissions of a capability for "main"

greet explicitly denied on origin local

referenced by: capability: x, permission: deny-greet`,
    )
  })
})

test("production has only Tauri's text", () => {
  expect(denialText(registry.get(READ_FILE)!)).toBe('Command plugin:fs|read_file not allowed by ACL')
})
