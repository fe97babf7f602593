// node scripts/promises.mjs: checks that each sentence, bullet and table row of the pages below has an entry in scripts/promises.json, by its
// beginning: the tests that would fail if it were not true (`file: beginning of the title`), or `explains` if it promises nothing. The rows that
// `limits.mjs` writes have theirs in limit-rows.mjs, and a row of borders.md is named by its border and question.
import { existsSync, readFileSync } from 'node:fs'
import { getRows } from './limit-rows.mjs'

const fromRoot = path => new URL(`../${path}`, import.meta.url)
const read = path => readFileSync(fromRoot(path), 'utf8')

/** Of README, the lists and tables only. */
const PAGES = [
  'docs/reference/security.md',
  'docs/reference/limits.md',
  'docs/reference/error-codes.md',
  'docs/guide/reliability.md',
  'docs/guide/what-it-is-not-for.md',
  'README.md',
]

const GENERATED = /<!-- (limits|results)\b[^]*?<!-- \/\1 -->/g
const NO_PROSE = /^(`{3,})[^]*?^\1$|<!--[^]*?-->|^<[^]*?^<\/\w+>$|^#.*$/gm
const ITEM = /^\s*(?:-|\d+\.) /
const HEAD_OF_TABLE = /^\|.*\n\|[-:| ]+\|$/gm
const toText = markdown =>
  markdown
    .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replaceAll(/\.\*\*(?=\s)/g, ':**')
    .replaceAll(/(\*{1,2})(?=\S)([^*]+)(?<=\S)\1/g, '$2')
    .replaceAll(/\s+/g, ' ')
    .trim()

/** Returns the sentences of a page as plain text, and each row of a table as one. What ends with a colon is part of what follows. */
function toSentences(page) {
  const blocks = read(page)
    .replaceAll(GENERATED, '')
    .replaceAll(NO_PROSE, '')
    .replaceAll(HEAD_OF_TABLE, '')
    .split(/\n\s*\n|\n(?=\s*- |\s*\d+\. |\|)/)
    .map(block => block.replace(/^\n+/, ''))
  const isRow = block => block.startsWith('|')
  return blocks
    .filter(block => page !== 'README.md' || isRow(block) || ITEM.test(block))
    .flatMap(block =>
      isRow(block) ? [toText(block)] : toText(block.replace(ITEM, '')).split(/(?<=[.!?]\)?) (?=[^a-z])/),
    )
    .filter(sentence => sentence !== '' && !sentence.endsWith(':'))
}

const TITLE = /(?:\b(?:it|test)(?!\.(?:skip|todo)\b)(?:\.\w+)?|\))\(\s*(['"`])(.*?[^\\])\1,/g
const titles = new Map()
function getTitles(file) {
  if (!titles.has(file)) {
    titles.set(file, existsSync(fromRoot(file)) ? [...read(file).matchAll(TITLE)].map(([, , title]) => title) : [])
  }
  return titles.get(file)
}
const isTest = test => {
  const [, file, title] = /^(\S+): (.+)$/.exec(test) ?? []
  return title !== undefined && getTitles(file).some(each => each.startsWith(title))
}

const findings = []
const checkTests = (promise, tests) => {
  if (tests.length === 0) findings.push(`has no test: ${promise}`)
  for (const test of tests)
    if (!isTest(test)) findings.push(`names a test that does not exist: ${promise}\n    ${test}`)
}

const promises = JSON.parse(read('scripts/promises.json'))
for (const page of PAGES) {
  const sentences = toSentences(page)
  const entries = Object.entries(promises[page] ?? {})
  for (const sentence of sentences) {
    const count = entries.filter(([beginning]) => sentence.startsWith(beginning)).length
    if (count !== 1) findings.push(`has ${count} entries: ${page}: ${sentence}`)
  }
  for (const [beginning, tests] of entries) {
    const count = sentences.filter(sentence => sentence.startsWith(beginning)).length
    if (count !== 1) findings.push(`begins ${count} sentences: ${page}: ${beginning}`)
    if (tests !== 'explains') checkTests(`${page}: ${beginning}`, tests)
  }
}

const limits = getRows(await import(fromRoot('packages/protocol/dist/wire/limits.js').href))
for (const [row, tests] of Object.values(limits).flat()) {
  const named = Object.entries(tests).flatMap(([file, all]) => [all].flat().map(title => `${file}: ${title}`))
  checkTests(`docs/reference/limits.md: ${row}`, named)
}

const BORDERS = 'docs/internals/borders.md'
const ofBorders = { ...promises[BORDERS] }
for (const section of read(BORDERS).split(/^## /m).slice(1)) {
  const border = section.slice(0, section.indexOf('\n'))
  for (const [, question, answer] of section.matchAll(/^\| ([a-z]+) \| (.+) \|$/gm)) {
    const row = `${border}: ${question}`
    const needsNone = /^Nothing|Not tried$/.test(answer)
    if (row in ofBorders || !needsNone) checkTests(`${BORDERS}: ${row}`, ofBorders[row] ?? [])
    delete ofBorders[row]
  }
}
for (const row of Object.keys(ofBorders)) findings.push(`is no row of ${BORDERS}: ${row}`)

for (const finding of findings) console.error(finding)
if (findings.length > 0) {
  console.error(`\n${findings.length} promises or entries of scripts/promises.json are wrong.`)
  process.exitCode = 1
}
