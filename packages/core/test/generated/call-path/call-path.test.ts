// Holds the lists of docs/internals/architecture.md, "One call, file by file", to what really runs.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'

const page = readFileSync(new URL('../../../../../docs/internals/architecture.md', import.meta.url), 'utf8')

/** Returns the rows of a list: a number, a file, and the functions that run in it. */
const readRows = (title: string) =>
  [
    ...page
      .split(`\n### ${title}\n`)[1]!
      .split('\n##')[0]!
      .matchAll(/^\d+\. `(packages\/[^`]+)`: (.+)$/gm),
  ].map(([, file, functions]) => ({
    file: file!,
    functions: [...functions!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
  }))

const brownfield = readRows('Brownfield')

describe.each([
  { pattern: 'brownfield', rows: brownfield, maxFiles: 25, maxFunctions: 110 },
  { pattern: 'isolation', rows: [...brownfield, ...readRows('Isolation')], maxFiles: 30, maxFunctions: 159 },
])('one invoke over a ring, $pattern', ({ pattern, rows, maxFiles, maxFunctions }) => {
  let ran: Record<string, string[]>

  beforeAll(async () => {
    const program = fileURLToPath(new URL('trace-call.mjs', import.meta.url))
    const env = { ...process.env, NODE_ENV: 'production' }
    const { stdout } = await promisify(execFile)(process.execPath, [program, pattern], { env })
    ran = JSON.parse(stdout) as Record<string, string[]>
  })

  // A call that is made now and then takes about a microsecond for each function: docs/adr/0006-polling.md, "Rare calls have a limit".
  test(`runs in at most ${maxFiles} files and ${maxFunctions} functions`, () => {
    expect(Object.keys(ran).length).toBeLessThanOrEqual(maxFiles)
    expect(Object.values(ran).flat().length).toBeLessThanOrEqual(maxFunctions)
  })

  test('runs in exactly the files that docs/internals/architecture.md lists, and each function that it names for them', () => {
    expect(rows.map(({ file }) => file).toSorted()).toEqual(Object.keys(ran).toSorted())
    for (const { file, functions } of rows) {
      expect(functions, file).not.toHaveLength(0)
      expect(ran[file], file).toEqual(expect.arrayContaining(functions))
    }
  })
})
