// node scripts/results.mjs [report.json...]: writes docs/internals/results.md and README's short table from one run of the scenarios below on this
// machine that passed its noise check, or from the report of one. Of further reports, of other versions of Node, the page has the short table.
// Without such a run in three tries, it writes nothing and exits with 3. README and home page have the page's answer, which holds in all of its runs.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { getCallCost } from '../packages/bench/dist/report/call-cost.js'
import { toMarkdown } from '../packages/bench/dist/report/markdown.js'
import { getVerdict } from '../packages/bench/dist/report/verdict.js'

const at = path => fileURLToPath(new URL(`../${path}`, import.meta.url))

const TRIES = 3
/** All but many plugins, which take ten minutes. */
const SCENARIOS = '/^(?!density)/'
const [BEGIN, END] = ['<!-- results -->', '<!-- /results -->']

/** The digest of the run, as `npm run bench` ends with, and where it was measured. */
export function headline(report) {
  const { machine, startedAt } = report
  const [, digest] = toMarkdown(report).split('## In short\n')
  const [table] = /^\|[^]*?(?=\n\n)/m.exec(digest)
  const where = `${startedAt.slice(0, 10)}, ${machine.cores} × ${machine.cpu}, Node ${machine.node.slice(1)}`
  return table.replace('|  |', `| ${where} |`)
}

const withBlock = (text, block, [begin, end] = [BEGIN, END]) =>
  `${text.slice(0, text.indexOf(begin) + begin.length)}\n\n${block}${block && '\n\n'}${text.slice(text.indexOf(end))}`

/** Names the file of each record of decisions that the goals refer to. */
const linkRecords = text =>
  text.replaceAll(/ADR (\d+)/g, (name, number) => {
    const file = readdirSync(at('docs/adr')).find(entry => entry.startsWith(number.padStart(4, '0')))
    return `[${name}](../adr/${file})`
  })

/** Sections of a report that the page shows, by their titles. The whole is in the report itself. */
const SHOWN =
  /^## (JSON-RPC or|What do|In short|Goals|Few calls|A plugin|Cost of isolation\n|Latency of a call|Calls per second|Documents)/

/** Without the spaces around the cells of tables. */
const compact = text => text.replaceAll(/^\|.*\|$/gm, row => row.replaceAll(/ *\| */g, '|'))

/** The notes of the digest, whose table begins the page. */
const onlyNotes = section =>
  section
    .split('\n')
    .filter(line => line.startsWith('- '))
    .join('\n') + '\n\n'

/** Whether a row of the goals says nothing bad: the goal was met, or is unclear with a figure that meets it. */
const isHarmless = row => {
  const [, , , measured, goal, outcome] = row.split('|').map(cell => cell.trim())
  const [kind, bound] = goal.split(' ')
  const isMet = kind === '≤' ? parseFloat(measured) <= parseFloat(bound) : parseFloat(measured) >= parseFloat(bound)
  return outcome === 'met' || (outcome === 'unclear' && isMet)
}

/** Keeps what pages link to, and goals that were or might be missed. The intervals of single scenarios are in the report. */
const shorten = text =>
  text
    .split(/^(?=## )/m)
    .filter(section => !section.startsWith('## ') || SHOWN.test(section))
    .map(section => (section.startsWith('## In short') ? onlyNotes(section) : section))
    .map(section => (section.startsWith('## Goals') ? section : section.replaceAll(/ · [\d.]+–[\d.]+×/g, '')))
    .map(section => section.replaceAll(/^\|.*\| (?:met|unclear) \|\n/gm, row => (isHarmless(row) ? '' : row)))
    .join('')
    .replace(/^Medians; ×.*$/m, '')
    .trim()

const page = (report, others) =>
  compact(`# Results

\`npm run results\` writes this page from a run of \`sallyport-bench --filter '${SCENARIOS}'\` that passed its noise check, on one machine. Measure on
yours (\`npm run bench\`) before you decide by figures. Ratios are more portable than times. The report of a run has all scenarios,
intervals and goals that were met, and [the benchmark](benchmark.md#how-to-read-it) explains them.

${BEGIN}

${[report, ...others].map(headline).join('\n\n')}

${END}

Figures are medians; × is the ratio to the raw MessagePort of the same rounds. A raw MessagePort and the [other libraries](benchmark.md#other-libraries) check and
authorize nothing.

${getCallCost([report, ...others])}

${shorten(
  linkRecords(toMarkdown(report, true))
    .replace(/^# .*\n/, '')
    .replaceAll(/<details><summary>(.*)<\/summary>/g, '## $1')
    .replaceAll('\n\n</details>', ''),
)}
`)

/** The README's table: the scenario `plugin` with its figures in rows, one median a cell. */
export function toShortTable(text) {
  const where = /^\|([^|]+)\|/m.exec(text)[1]
  const [, section] = text.split('\n## A plugin\n')
  if (section === undefined) throw new Error('The results have no scenario "plugin". Measure it too.')
  const lines = section.split('\n## ')[0].split('\n')
  const [[, ...questions], , ...arms] = lines
    .filter(line => line.startsWith('|'))
    .map(line => line.split('|').slice(1, -1))
  const rows = questions.map((question, at) => [question, ...arms.map(cells => cells[at + 1].replace(/ \(.*/, ''))])
  return [[where, ...arms.map(([name]) => name)], ['---', ...arms.map(() => '---:')], ...rows]
    .map(cells => `|${cells.join('|')}|`)
    .join('\n')
}

/** The answer of the page's runs, where they were measured, empty without runs that passed their noise check. */
export function toCost(text) {
  const answer = /^.*One call at a time: .*$/m.exec(text)?.[0]
  if (!text.includes('The machine was quiet:') || answer === undefined) return ''
  const where = [...text.matchAll(/^\|(\d{4}-\d\d-\d\d, [^|]+)\|/gm)].map(([, place]) => place.trim())
  const versions = where.map(place => /Node [\d.]+/.exec(place)[0]).join(' and ')
  return `${answer}\n${where[0].replace(/Node [\d.]+/, versions)}.`
}

const withLink = (cost, path) => cost && `${cost} [All results](${path})`

/** Writes the answer into the home page. */
export const withCost = (home, text) =>
  withBlock(home, withLink(toCost(text), '../docs/internals/results.md'), ['<!-- cost -->', '<!-- /cost -->'])

/** Writes the short table and the answer into the README. */
export const withResults = (readme, text) =>
  withBlock(readme, [toShortTable(text), toCost(text).split('\n')[0]].filter(Boolean).join('\n\n'))

const read = path => JSON.parse(readFileSync(path, 'utf8'))

function measure() {
  const out = at('bench-report/results')
  const args = [at('packages/bench/dist/cli.js'), '--filter', SCENARIOS, '--out', out]
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
    if (status === 0 || status === 1) break
    if (status !== 3) process.exit(status ?? 1)
  }
  return `${out}/report.json`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , ...paths] = process.argv
  const reports = (paths.length > 0 ? paths : [measure()]).map(read)
  const noisy = reports.find(({ noise }) => noise?.outcome !== 'steady')
  if (noisy) {
    console.error(
      `Nothing was written. ${getVerdict(noisy).line} Close what else runs, and repeat \`npm run results\`.`,
    )
    process.exit(3)
  }
  const [report, ...others] = reports
  const text = page(report, others)
  writeFileSync(at('docs/internals/results.md'), text)
  writeFileSync(at('site/index.md'), withCost(readFileSync(at('site/index.md'), 'utf8'), text))
  writeFileSync(at('README.md'), withResults(readFileSync(at('README.md'), 'utf8'), text))
}
