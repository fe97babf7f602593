// AGENTS.md and llms.txt, which the package has for the coding agents of users, are made from the docs.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { getAgents, getContents, getIndex } from '../../../../scripts/agents.mjs'
import { rows } from '../../../../scripts/testing.js'

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

test('AGENTS.md, llms.txt and docs/README.md are up to date: `npm run docs:agents` writes them', () =>
  rows({ 'AGENTS.md': getAgents, 'llms.txt': getIndex, '../../docs/README.md': getContents })((create, name) =>
    expect(read(name)).toBe(create()),
  ))

test('AGENTS.md has ten recipes with code, and no link, which would lead nowhere in a package', () => {
  const text = read('AGENTS.md')
  const recipes = text.split('\n## ').slice(2)
  expect(recipes).toHaveLength(10)
  for (const recipe of recipes) expect(recipe).toContain('\n```')
  expect(text).not.toMatch(/\]\(/)
})

// docs/internals/machines.md is generated from the state machines by `npm run docs:machines`.
test('docs/internals/machines.md is up to date', () => {
  const script = fileURLToPath(new URL('../../../../scripts/machines.mjs', import.meta.url))
  expect(() => execFileSync(process.execPath, [script, '--check'])).not.toThrow()
})
