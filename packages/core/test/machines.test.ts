// docs/machines.md is drawn from the state machines: whoever changes one draws the page anew, with `npm run docs:machines`.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('the page is what the machines are', () => {
  const script = fileURLToPath(new URL('../../../scripts/machines.mjs', import.meta.url))
  expect(() => execFileSync(process.execPath, [script, '--check'])).not.toThrow()
})
