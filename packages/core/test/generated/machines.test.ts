// docs/internals/machines.md is generated from the state machines by `npm run docs:machines`.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('docs/internals/machines.md is up to date', () => {
  const script = fileURLToPath(new URL('../../../../scripts/machines.mjs', import.meta.url))
  expect(() => execFileSync(process.execPath, [script, '--check'])).not.toThrow()
})
