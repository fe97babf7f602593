// docs/internals/wire.md names all that is on the wire, and the tables of docs/reference are generated from the code.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { FRAME_KIND, METHOD } from '../../src/wire/messages.js'

const root = new URL('../../../../', import.meta.url)
const page = readFileSync(new URL('docs/internals/wire.md', root), 'utf8')
const lines = page.split('\n').filter(line => line.startsWith('| '))

it('the tables of limits.md and error-codes.md are up to date: `npm run docs:limits` writes them', () => {
  const script = fileURLToPath(new URL('scripts/limits.mjs', root))
  expect(() => execFileSync(process.execPath, [script, '--check'])).not.toThrow()
})

it('the page on the wire has each method', () =>
  rows(Object.values(METHOD))(method =>
    expect(lines.some(row => row.startsWith(`| \`${method.replace('|', '\\|')}\` |`))).toBe(true),
  ))

it('the page on the wire has exactly the kinds of frames', () => {
  const kinds = [...page.matchAll(/^\| (\d) \|/gm)].map(([, kind]) => Number(kind))
  expect(kinds).toEqual(Object.values(FRAME_KIND))
})
