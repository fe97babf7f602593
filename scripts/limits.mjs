// node scripts/limits.mjs [--check]: writes the tables of docs/reference/limits.md from the constants of protocol, that of error-codes.md from
// its codes, and that of docs/guide/commands.md by sending values. With `--check`, exits with 1 if a page is stale. `promises.mjs` finds rows
// without a test.
import { readFileSync, writeFileSync } from 'node:fs'
import { toArrivalTable } from './arrivals.mjs'
import { getRows } from './limit-rows.mjs'

const fromRoot = path => new URL(`../${path}`, import.meta.url)
const l = await import(fromRoot('packages/protocol/dist/wire/limits.js').href)
const arrivals = toArrivalTable(await import(fromRoot('packages/protocol/dist/codec.js').href))

const TABLES = getRows(l)
const HEADS = { messages: 'limit | value', calls: 'limit | value', queues: 'messages | limit | beyond it' }

const toTable = name => {
  const head = HEADS[name]
  const rows = TABLES[name].map(([row]) => row)
  const line = head.replaceAll(/[^|]+/g, '---')
  return [head, line, ...rows].map(row => (row === line ? `|${row}|` : `| ${row} |`)).join('\n')
}

const CODES = /^ {2}(\w+): (-\d+), \/\/ (.+)$/gm
const source = readFileSync(fromRoot('packages/protocol/src/errors/bus-error.ts'), 'utf8')
const codes = [...source.matchAll(CODES)].map(
  ([, reason, code, hasRun]) => `| ${code} | [${reason}](#${reason.toLowerCase()}) | ${hasRun} |`,
)

const PAGES = {
  'reference/limits': text =>
    text.replaceAll(
      /(<!-- limits: (\w+) -->\n\n)[^]*?(\n\n<!-- \/limits -->)/g,
      (_, begin, name, end) => begin + toTable(name) + end,
    ),
  'reference/error-codes': text =>
    text.replace(
      /(<!-- codes -->\n\n.*\n.*\n)[^]*?(\n\n<!-- \/codes -->)/,
      (_, begin, end) => begin + codes.join('\n') + end,
    ),
  'guide/commands': text =>
    text.replace(/(<!-- arrivals -->\n\n)[^]*?(\n\n<!-- \/arrivals -->)/, (_, begin, end) => begin + arrivals + end),
}
for (const [name, write] of Object.entries(PAGES)) {
  const page = fromRoot(`docs/${name}.md`)
  const text = readFileSync(page, 'utf8')
  if (!process.argv.includes('--check')) writeFileSync(page, write(text))
  else if (write(text) !== text) process.exitCode = 1
}
