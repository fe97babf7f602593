// Compares the table of all limits in docs/reference/limits.md with wire/limits.ts. `UPDATE_LIMITS=1 npx vitest run --project generated
// test/generated/limits` writes the table.
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as limits from '../../src/wire/limits.js'

const page = new URL('../../../../docs/reference/limits.md', import.meta.url)
const source = readFileSync(new URL('../../src/wire/limits.ts', import.meta.url), 'utf8')

function format(name: string, value: number): string {
  const isBytes = name.includes('BYTES') || name === 'CHANNEL_READ_AHEAD'
  if (isBytes && value % 2 ** 20 === 0) return `${value / 2 ** 20} MiB`
  if (isBytes && value % 1024 === 0) return `${value / 1024} KiB`
  return value.toLocaleString('en').replaceAll(',', ' ')
}

test('the table of all limits has every constant, with its value', () => {
  const comments = new Map(
    [...source.matchAll(/\/\*\* (.*) \*\/\nexport const (\w+)/g)].map(([, text, name]) => [name, text]),
  )
  expect(comments.size).toBe(Object.keys(limits).length)
  const rows = Object.entries(limits)
    .map(([name, value]) => `| \`${name}\` | ${format(name, value)} | ${comments.get(name)} |`)
    .toSorted()
  const table = ['| constant | value | meaning |', '|---|---|---|', ...rows].join('\n')
  const text = readFileSync(page, 'utf8')
  const current = `${text.slice(0, text.indexOf('| constant |'))}${table}
`
  if (process.env['UPDATE_LIMITS']) writeFileSync(page, current)
  else expect(text).toBe(current)
})
