// The error of a denied caller: Tauri's text, and in development a remedy.
import { expect, test } from 'vitest'
import { getDenialText } from '../../../src/acl/authority.js'
import { capability, make, registry } from './make.js'

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
