// Holds the list of docs/internals/architecture.md, "One call, file by file", to what really runs.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'

const MAX_FILES = 26

const page = readFileSync(new URL('../../../../../docs/internals/architecture.md', import.meta.url), 'utf8')
const section = page.split('## One call, file by file\n')[1]?.split('\n## ')[0] ?? ''
/** A row: a number, a file, and the functions that run in it. */
const rows = [...section.matchAll(/^\d+\. `(packages\/[^`]+)`: (.+)$/gm)].map(([, file, functions]) => ({
  file: file!,
  functions: [...functions!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
}))

let ran: Record<string, string[]>

beforeAll(async () => {
  const program = fileURLToPath(new URL('trace-call.mjs', import.meta.url))
  const env = { ...process.env, NODE_ENV: 'production' }
  const { stdout } = await promisify(execFile)(process.execPath, [program], { env })
  ran = JSON.parse(stdout) as Record<string, string[]>
})

test(`one invoke over a port runs in at most ${MAX_FILES} files`, () => {
  expect(Object.keys(ran).length).toBeLessThanOrEqual(MAX_FILES)
})

test('docs/internals/architecture.md lists exactly the files in which one invoke runs', () => {
  expect(rows.map(({ file }) => file).toSorted()).toEqual(Object.keys(ran).toSorted())
})

test('each function that docs/internals/architecture.md names for a file runs during one invoke', () => {
  for (const { file, functions } of rows) {
    expect(functions, file).not.toHaveLength(0)
    expect(ran[file], file).toEqual(expect.arrayContaining(functions))
  }
})
