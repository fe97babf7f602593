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

/** Of each reason, the rows by their texts, in which all names of a placeholder count alike. */
const tables = new Map([...Object.keys(ERROR_CODES), '<reason>'].map(reason => [reason, new Map()]))
for (const { path: place, found } of getErrors()) {
  const shown = found.filter(({ text }) => hasWords(text))
  for (const { reason, text, path } of shown) {
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
const sections = [...tables].map(([reason, rows]) => {
  const lines = [...rows.values()].map(({ areas, text }) => {
    const [cause, cure] = text
      .replaceAll(HINT, '…')
      .replaceAll('\n', ' ')
      .split(/\. (?=[A-Z`])(.*)/)
    return `| ${[...areas].join(', ')} | ${toCode(cause)} | ${toCode(cure)} |`.replaceAll('  ', ' ')
  })
  const title = reason === '<reason>' ? 'With the reason of the cause' : reason
  return `## ${title}\n\n| area | cause | cure |\n|---|---|---|\n${lines.toSorted().join('\n')}`
})
const text = readFileSync(page, 'utf8')
const written = text.replace(/(<!-- errors -->)[^]*(<!-- \/errors -->)/, (_, ...ends) =>
  ends.slice(0, 2).join(`\n\n${sections.join('\n\n')}\n\n`),
)
if (!process.argv.includes('--check')) writeFileSync(page, written)
else if (written !== text) process.exitCode = 1
