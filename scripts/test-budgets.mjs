// How many tests a directory may have: test-budgets.json, and a tenth more. A table is one test (`rows` in testing.ts), and of several ways one is taken
// (`choose`). `node scripts/count-tests.mjs test test:long --write-budgets` records what there is.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('test-budgets.json', import.meta.url)
const SLACK = 1.1

/** `packages/core/test/calls`, `packages/core/test/long/faults`, `extensions/mcp/test`, `examples`, `site` */
export function getBudgetOf(path) {
  const [top, name, tier, ...rest] = path.split('/').slice(0, -1)
  if (top !== 'packages' && top !== 'extensions') return top
  const deep =
    name === 'core' && rest.length > 0
      ? rest.slice(0, rest[0] === 'long' ? 2 : 1)
      : rest.slice(0, rest[0] === 'long' ? 1 : 0)
  return [top, name, tier, ...deep].join('/')
}

/** @param counts - tests, by directory */
export function listExcesses(counts, budgets = JSON.parse(readFileSync(file, 'utf8'))) {
  return Object.entries(counts)
    .filter(([directory, tests]) => tests > Math.max((budgets[directory] ?? 0) * SLACK, (budgets[directory] ?? 0) + 3))
    .map(
      ([directory, tests]) =>
        `${directory} has ${tests} tests, and a budget of ${budgets[directory] ?? 0}: make a table one test, take one of several ways, or raise the budget in scripts/test-budgets.json`,
    )
}

export function writeBudgets(counts) {
  const sorted = Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`)
}
