// node scripts/results.mjs [report.json]: writes docs/internals/results.md, and its headline into README and home page, from a run of the scenarios
// below on this machine that passed its noise check, or from the report of one. Without such a run in two tries, of ten minutes each, it writes nothing and exits with 3.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toMarkdown } from '../packages/bench/dist/report/markdown.js'
import { keepUnits } from '../packages/bench/dist/shared/text.js'
import { getVerdict } from '../packages/bench/dist/report/verdict.js'
import { getHeadline } from './headline.mjs'

const at = path => fileURLToPath(new URL(`../${path}`, import.meta.url))

const TRIES = 2
const SCENARIOS = '^(few-calls|shapes|throughput|plugin|formats|cipher)/'
const [BEGIN, END] = ['<!-- results -->', '<!-- /results -->']

const describePlace = ({ machine, startedAt }) =>
  `${startedAt.slice(0, 10)}, ${machine.cores} × ${machine.cpu}, Node ${machine.node.slice(1)}`

/** A sentence and a table, and where they were measured. */
export function toHeadline(report) {
  const { sentence, table } = getHeadline(report)
  const [heads, ...rows] = table
  const lines = [heads, heads.map((_, at) => (at === 0 ? '---' : '---:')), ...rows].map(cells => `|${cells.join('|')}|`)
  return `${keepUnits(sentence)}\n\n${lines.join('\n')}\n\n${describePlace(report)}`
}

const withBlock = (text, block, [begin, end] = [BEGIN, END]) =>
  `${text.slice(0, text.indexOf(begin) + begin.length)}\n\n${block}\n\n${text.slice(text.indexOf(end))}`

/** Sections of a report that the page leaves out. */
const LEFT_OUT = /^## Noise:/

/** Without the spaces around the cells of tables. */
const compact = text => text.replaceAll(/^\|.*\|$/gm, row => row.replaceAll(/ *\| */g, '|'))

/** Without the intervals, which are in the report. */
const shorten = text =>
  text
    .split(/^(?=## )/m)
    .filter(section => !LEFT_OUT.test(section))
    .map(section => section.replaceAll(/ · [\d.]+(–[\d.]+)?×\)/g, ')'))
    .join('')
    .replaceAll(/^(?:Medians; ×|Measured in part:).*$/gm, '')
    .trim()

const page = report =>
  compact(`# Results

What calls, formats, sandboxes and encryption cost on one machine: \`npm run results\` writes this page from a run that passed its noise check. Measure on
yours (\`npm run bench\`) before you decide by figures. Ratios are more portable than times. [The benchmark](benchmark.md#how-to-read-it) explains them.

${BEGIN}

${toHeadline(report)}

${END}

Figures are medians; × is the ratio to the first row or column in the same rounds. A raw MessagePort, a raw Worker, a raw fork and the
[other libraries](benchmark.md#other-libraries) check and authorize nothing.

${shorten(
  toMarkdown(report)
    .replace(/^# .*\n/, '')
    .replaceAll(/<details><summary>(.*)<\/summary>/g, '## $1')
    .replaceAll('\n\n</details>', ''),
)}
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

function measure() {
  const out = at('bench-report/results')
  const args = [at('packages/bench/dist/cli.js'), '--full', '--filter', SCENARIOS, '--out', out]
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
    if (status === 0 || status === 1) break
    if (status !== 3) process.exit(status ?? 1)
  }
  return `${out}/report.json`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , path = measure()] = process.argv
  const report = JSON.parse(readFileSync(path, 'utf8'))
  if (report.noise?.outcome !== 'steady') {
    console.error(
      `Nothing was written. ${getVerdict(report).line} Close what else runs, and repeat \`npm run results\`.`,
    )
    process.exit(3)
  }
  const text = page(report)
  writeFileSync(at('docs/internals/results.md'), text)
  writeFileSync(at('site/index.md'), withCost(readFileSync(at('site/index.md'), 'utf8'), text))
  writeFileSync(at('README.md'), withResults(readFileSync(at('README.md'), 'utf8'), text))
}
