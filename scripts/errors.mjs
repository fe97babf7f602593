// node scripts/errors.mjs [--check]: writes the tables of docs/reference/error-messages.md from the errors of the sources. With `--check`, exits
// with 1 if the page is stale; always, if an error has no words: neither in its text nor in the message that it passes on.
import { readFileSync, writeFileSync } from 'node:fs'
import { getErrors, hasWords, PLACEHOLDER } from './error-texts.mjs'

/** Behind a word without a space, a placeholder is a hint, or nothing. */
const HINT = /(?<=[\w>])<[a-z ]+>/g
/** The message of another error. */
const PASSED_ON = /<(?:[a-z ]*message|cause|error)>/

const fromRoot = path => new URL(`../${path}`, import.meta.url)
const page = fromRoot('docs/reference/error-messages.md')
const { ERROR_CODES } = await import(fromRoot('packages/protocol/dist/errors/bus-error.js'))

/** What programs do about a code, by the code. */
const source = readFileSync(fromRoot('packages/protocol/src/errors/bus-error.ts'), 'utf8')
const remedies = new Map([...source.matchAll(/^ {2}\| '([A-Z_]+)' \/\/ (.+)$/gm)].map(([, ...row]) => row))
/** By the code, what its errors say. */
const coded = new Map([...remedies.keys()].map(code => [code, new Map()]))

/** Of each reason, the rows by their texts, in which all names of a placeholder count alike. */
const tables = new Map([...Object.keys(ERROR_CODES), '<reason>'].map(reason => [reason, new Map()]))
for (const { path: place, found } of getErrors()) {
  const shown = found.filter(({ text }) => hasWords(text))
  for (const { reason, text, path, code } of shown) {
    if (code !== undefined) coded.get(code)?.set(text.replaceAll(PLACEHOLDER, '<>'), { reason, text })
    const key = text.replaceAll(PLACEHOLDER, '<>')
    const row = tables.get(reason).get(key) ?? { text, areas: new Set() }
    row.areas.add(path.replace(/^\w+\/([^/]+)\/src((?:\/[^/]+(?=\/))?).*/, '$1$2'))
    tables.get(reason).set(key, row)
  }
  if (shown.length > 0 || found.some(({ text }) => PASSED_ON.test(text))) continue
  console.error(`${place}: an error shows no words: ${found.map(({ text }) => text).join(', ')}`)
  process.exitCode = 1
}

function toCode(text = '') {
  const escaped = text.replaceAll('|', '\\|')
  return text && (text.includes('`') ? `\`\` ${escaped} \`\`` : `\`${escaped}\``)
}
const toCause = text =>
  text
    .replaceAll(HINT, '…')
    .replaceAll('\n', ' ')
    .split(/\. (?=[A-Z`])(.*)/)
const sections = [...tables].map(([reason, rows]) => {
  const lines = [...rows.values()].map(({ areas, text }) => {
    const [cause, cure] = toCause(text)
    return `| ${[...areas].join(', ')} | ${toCode(cause)} | ${toCode(cure)} |`.replaceAll('  ', ' ')
  })
  const title = reason === '<reason>' ? 'With the reason of the cause' : reason
  return `## ${title}\n\n| area | cause | cure |\n|---|---|---|\n${lines.toSorted().join('\n')}`
})
/** A few are enough to recognize it. */
const describeTexts = texts =>
  texts
    .slice(0, 3)
    .map(each => toCode(toCause(each.text)[0]))
    .join(' · ') + (texts.length > 3 ? ' …' : '')
const codes = [...coded].map(([code, texts]) => {
  const [{ reason, text } = {}] = texts.values()
  if (text === undefined) {
    console.error(`No error has the code ${code}`)
    process.exitCode = 1
  }
  return `| \`${code}\` | ${reason} | ${remedies.get(code)} | ${describeTexts([...texts.values()])} |`
})
const table = `## Codes\n\n| \`data.code\` | reason | what to do | texts |\n|---|---|---|---|\n${codes.join('\n')}`
const text = readFileSync(page, 'utf8')
const written = text.replace(/(<!-- errors -->)[^]*(<!-- \/errors -->)/, (_, ...ends) =>
  ends.slice(0, 2).join(`\n\n${[table, ...sections].join('\n\n')}\n\n`),
)
if (!process.argv.includes('--check')) writeFileSync(page, written)
else if (written !== text) process.exitCode = 1
