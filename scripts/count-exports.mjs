// node scripts/count-exports.mjs: counts the distinct names in the API reports (packages/*/etc/*.api.md), and fails above the limit.
// A user has to know what these names are. What users do not need belongs behind an `/internal` entry.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const LIMIT = 200
const DECLARATION =
  /^export (?:declare )?(?:abstract )?(?:const|let|function|class|interface|type|enum|namespace) (?!\{)([\w$]+)/gm
const LIST = /^export \{ ([^}]*) \}/gm

/** Returns the names that a report says are exported. */
function getNames(report) {
  const declared = [...report.matchAll(DECLARATION)].map(([, name]) => name)
  const listed = [...report.matchAll(LIST)].flatMap(([, list]) => list.split(','))
  return [...declared, ...listed.map(name => name.trim().split(' as ').at(-1))]
}

const packages = fileURLToPath(new URL('../packages/', import.meta.url))
const names = new Map()
for (const name of readdirSync(packages)) {
  for (const file of readReports(join(packages, name, 'etc'))) {
    for (const exported of getNames(readFileSync(file, 'utf8'))) names.set(exported, file)
  }
}

function readReports(directory) {
  try {
    return readdirSync(directory).map(file => join(directory, file))
  } catch {
    return []
  }
}

console.log(`${names.size} distinct exported names (limit: ${LIMIT})`)
if (names.size > LIMIT) {
  console.error('Too many exported names. Move what users do not need behind an /internal entry.')
  process.exitCode = 1
}
