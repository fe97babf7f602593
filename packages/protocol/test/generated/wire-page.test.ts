// docs/internals/wire.md has the kinds of frames, and the tables of docs/reference are generated from the code.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { FRAME_KIND } from '../../src/wire/messages.js'

const root = new URL('../../../../', import.meta.url)
const page = readFileSync(new URL('docs/internals/wire.md', root), 'utf8')

it('the tables of limits.md, error-codes.md and commands.md are up to date: `npm run docs:limits` writes them', () => {
  const script = fileURLToPath(new URL('scripts/limits.mjs', root))
  expect(() => execFileSync(process.execPath, [script, '--check'])).not.toThrow()
})

it('the page on the wire has exactly the kinds of frames', () => {
  const kinds = [...page.matchAll(/^\| (\d) \|/gm)].map(([, kind]) => Number(kind))
  expect(kinds).toEqual(Object.values(FRAME_KIND))
})
