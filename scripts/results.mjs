// node scripts/results.mjs [report.json [report.json of another Node …]]: writes docs/internals/results.md, and its first tables into README and home page, from
// a run of the scenarios below by the newest LTS, and of the starts and sandboxes by the others, all on this machine; or from the reports of such runs. The
// identical arms of each must agree within two tries, or nothing is written, and the script exits with 3. It takes about ten minutes.
//   --short  a minute of rounds that are too few to say anything, to try the script; it writes into bench-report/
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { getAnswers } from '../packages/bench/dist/report/answers.js'
import { toMarkdown } from '../packages/bench/dist/report/markdown.js'
import { getVerdict, isRefused } from '../packages/bench/dist/report/noise.js'

const at = path => fileURLToPath(new URL(`../${path}`, import.meta.url))

const TRIES = 2
/** Majors of Node.js, by npm. */
const [NEWEST_LTS, ...OTHERS] = [24, 20, 26]
const SCENARIOS = '^(few-calls|shapes|throughput|plugin|formats|speed|load|cipher)/'
const STARTS = '^(few-calls|sandboxes)/'
const [BEGIN, END] = ['<!-- results -->', '<!-- /results -->']

/** The rows that a reader chooses from, and the one that is recommended for code of others. */
const CHOICES = ['raw Worker', "'permission'", "'process' in a wall", "'quickjs'", "'quickjs' in a wall"]
const RECOMMENDED = "'process' in a wall"
const ABOUT =
  'A start is that of the first plugin. A call back to back waits for the answer before it: threads of Sallyport poll meanwhile where cores are free, and a raw port does not. Calls a second are those of 64 in flight.'

const describePlace = ({ machine, startedAt }) =>
  `${startedAt.slice(0, 10)}, ${machine.cores} × ${machine.cpu}, Node ${machine.node.slice(1)}`

/** The sections of a report as Markdown, by their titles. */
const getSections = report =>
  toMarkdown(report)
    .replace(/^# .*\n/, '')
    .replaceAll(/<details><summary>(.*)<\/summary>/g, '## $1')
    .replaceAll('\n\n</details>', '')
    .split(/^(?=## )/m)

/** An answer without its title: the sentence, the table and what it is about. */
function pick(report, { title }) {
  const section = getSections(report).find(text => text.startsWith(`## ${title}\n`))
  const [, ...paragraphs] = section.trim().split('\n\n')
  return paragraphs.slice(0, paragraphs.findIndex(text => text.startsWith('|')) + 2).join('\n\n')
}

/**
 * What a message costs and what changes it, in sentences; what a plugin costs, in a table; and where they were measured. Intervals are in the results.
 *
 * @throws Error without the scenario of a plugin
 */
export function toHeadline(report) {
  const answers = getAnswers(report)
  const plugin = answers.find(({ of }) => of === 'plugin')
  if (!plugin) throw new Error('The results have no scenario "plugin". Measure it too.')
  const { sentence } = answers.find(({ of }) => of === 'formats')
  const rows = plugin.rows
    .filter(([{ text }]) => CHOICES.includes(text))
    .map(([name, ...cells]) => [
      name.text + (name.text === RECOMMENDED ? ', **for code of others**' : ''),
      ...cells.map(({ text }) => text),
    ])
  const lines = [plugin.columns, ['---', ...rows[0].slice(1).map(() => '---:')], ...rows]
  const table = lines.map(cells => `|${cells.join('|')}|`).join('\n')
  return [sentence, table, ABOUT, describePlace(report)].join('\n\n')
}

const withBlock = (text, block, [begin, end] = [BEGIN, END]) =>
  `${text.slice(0, text.indexOf(begin) + begin.length)}\n\n${block}\n\n${text.slice(text.indexOf(end))}`

/** Without the spaces around the cells of tables. */
const compact = text => text.replaceAll(/^\|.*\|$/gm, row => row.replaceAll(/ *\| */g, '|'))

const shorten = text =>
  text
    .replaceAll(/^(?:Medians, and|Measured in part:).*$/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()

/** The starts and sandboxes by another Node.js. */
const describeOther = report =>
  getAnswers(report)
    .map(answer => `### Node ${report.machine.node.slice(1)}: ${answer.title}\n\n${pick(report, answer)}`)
    .join('\n\n')

const page = (report, others) =>
  compact(`# Results

What calls, formats, sandboxes and encryption cost on one machine: \`npm run results\` writes this page from runs whose identical arms agreed. Measure on
yours (\`npm run bench\`) before you decide by figures. Ratios are more portable than times. [The benchmark](benchmark.md#how-to-read-it) explains them.

${BEGIN}

${toHeadline(report)}

${END}

All tables are of Node ${report.machine.node.slice(1)}, but [those of other versions](#other-versions-of-node). Figures are medians; × is the ratio to the first row
or column in the same rounds. A raw MessagePort, a raw Worker, a raw fork and the [other libraries](benchmark.md#other-libraries) check and authorize nothing.

${shorten(getSections(report).join(''))}

## Other versions of Node

Each is a short run of its own, whose figures are ranges: eight of ten rounds.

${shorten(others.map(describeOther).join('\n\n'))}
`)

/** The headline of the page. */
const readHeadline = results => results.split(BEGIN)[1].split(END)[0].trim()

/** Writes the headline into the home page. */
export const withCost = (home, results) =>
  withBlock(home, `${readHeadline(results)} · [All results](../docs/internals/results.md)`, [
    '<!-- cost -->',
    '<!-- /cost -->',
  ])

/** Writes the headline into the README. */
export const withResults = (readme, results) => withBlock(readme, readHeadline(results))

const isNoisy = ({ scenarios }) => scenarios.some(({ cases }) => cases.some(isRefused))

/** @returns the report of a run by this major of Node.js */
function measure(node, args, isShort) {
  const out = at(`bench-report/results-${node}`)
  const length = isShort ? ['--rounds', '2', '--slot', '1'] : []
  const command = ['--yes', '-p', `node@${node}`, 'node', at('packages/bench/dist/cli.js'), ...args, ...length]
  for (let attempt = 1; attempt <= (isShort ? 1 : TRIES); attempt++) {
    const { status } = spawnSync('npx', [...command, '--out', out], { stdio: 'inherit' })
    if (![0, 1, 3].includes(status)) process.exit(status ?? 1)
    if (!isNoisy(JSON.parse(readFileSync(`${out}/report.json`, 'utf8')))) break
  }
  return `${out}/report.json`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const paths = process.argv.slice(2).filter(argument => argument !== '--short')
  const isShort = process.argv.includes('--short')
  if (paths.length === 0) {
    paths.push(measure(NEWEST_LTS, [...(isShort ? [] : ['--full']), '--filter', SCENARIOS], isShort))
    for (const node of OTHERS) paths.push(measure(node, ['--filter', STARTS], isShort))
  }
  const [report, ...others] = paths.map(path => JSON.parse(readFileSync(path, 'utf8')))
  const noisy = [report, ...others].find(isNoisy)
  if (noisy && !isShort) {
    const { node } = noisy.machine
    console.error(
      `Nothing was written. Node ${node.slice(1)}: ${getVerdict(noisy).line} Close what else runs, and repeat \`npm run results\`.`,
    )
    process.exit(3)
  }
  const text = page(report, others)
  writeFileSync(at(isShort ? 'bench-report/results.md' : 'docs/internals/results.md'), text)
  if (!isShort) {
    writeFileSync(at('site/index.md'), withCost(readFileSync(at('site/index.md'), 'utf8'), text))
    writeFileSync(at('README.md'), withResults(readFileSync(at('README.md'), 'utf8'), text))
  }
}
