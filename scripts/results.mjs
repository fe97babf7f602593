// node scripts/results.mjs [report.json]: writes docs/results.md, and the headline figures of the README, from a full run on
// this machine, and those of docs/performance.md; or from the report of one that was made before.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { writeFigures } from './figures.mjs'
import { toMarkdown } from '../packages/bench/dist/report/markdown.js'
import { findFigure } from '../packages/bench/dist/report/report.js'
import { getVerdict } from '../packages/bench/dist/report/verdict.js'
import { formatFigure, formatRatio } from '../packages/bench/dist/shared/text.js'

const at = path => fileURLToPath(new URL(`../${path}`, import.meta.url))

const ARMS = [
  'raw',
  'piscina',
  'comlink',
  'vscode-jsonrpc',
  'birpc',
  'ring-json',
  'ring-msgpack',
  'isolation-ring-json',
]
const COLUMNS = [
  ['latency/1', 'p50', 'a call, p50'],
  ['throughput/64', 'rate', 'calls/s, 64 in flight'],
]
const [BEGIN, END] = ['<!-- results -->', '<!-- /results -->']

/** The place of the README's table after a run that failed its noise check. */
const NO_FIGURES = `There are no figures here because the last full run, in [the results](docs/results.md), failed its noise check. Measure on your machine.`

/** The table of the README: Sallyport and others, in one run. */
export function headline(report) {
  const { machine, noise, scenarios, startedAt } = report
  const arms = scenarios.find(({ id }) => id === 'throughput').arms.filter(({ id }) => ARMS.includes(id))
  const cell = (arm, [inCase, figure]) => {
    const found = findFigure(report, `${inCase}/${arm}/${figure}`)
    if (!found) return 'failed'
    return arm === 'raw' ? formatFigure(found) : `${formatFigure(found)} · ${formatRatio(found.ratio)}`
  }
  const node = machine.node.slice(1)
  const where = `${startedAt.slice(0, 10)}, ${machine.cores} × ${machine.cpu}, Node ${node}`
  const rows = [
    [where, ...COLUMNS.map(([, , title]) => title)],
    ['---', ...COLUMNS.map(() => '---:')],
  ]
  for (const { id, title } of arms)
    rows.push([bus(id) ? `**Sallyport**, ${title}` : title, ...COLUMNS.map(one => cell(id, one))])
  const table = rows.map(cells => `| ${cells.join(' | ')} |`).join('\n')
  return noise?.outcome === 'too noisy' ? `${table}\n\n${getVerdict(report).line}` : table
}

const bus = id => /(^|-)(ring|port)-(json|msgpack)$/.test(id)

/** What stands between the marks. */
export const blockOf = text => text.slice(text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)).trim()

const withBlock = (text, block) =>
  `${text.slice(0, text.indexOf(BEGIN) + BEGIN.length)}\n\n${block}\n\n${text.slice(text.indexOf(END))}`

const page = report => `# Results

Written by \`npm run results\` from a run of \`sallyport-bench --all --full\`: of one machine, on one day. Measure on yours
(\`npm run bench\`) before you decide by figures; ratios travel better than times, and [how it measures](benchmarking.md) says
what an interval means.

${BEGIN}

${headline(report)}

${END}

Each in threads of its own, as [the benchmark's peers](benchmarking.md#peers) are used; × is the ratio to the raw MessagePort of the
same rounds. A raw MessagePort checks nothing and authorizes nobody; nor do the other libraries.

**Caveats.** One machine of ${report.machine.cores} cores, which others may have used meanwhile (the load stands below): rings poll with one core for
each side, and a gate is a third thread. What says \`failed\` or \`missed\` is left as it came out.

${toMarkdown(report)
  .replace(/^# .*\n/, '')
  .trim()}
`

function measure() {
  const out = at('bench-report/results')
  const { status } = spawnSync(process.execPath, [at('packages/bench/dist/cli.js'), '--all', '--full', '--out', out], {
    stdio: 'inherit',
  })
  // What is too noisy to judge is written with that verdict, and what failed as failed.
  if (![0, 1, 3].includes(status)) process.exit(status ?? 1)
  return `${out}/report.json`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = JSON.parse(readFileSync(process.argv[2] ?? measure(), 'utf8'))
  writeFileSync(at('docs/results.md'), page(report))
  const readme = readFileSync(at('README.md'), 'utf8')
  writeFileSync(
    at('README.md'),
    withBlock(readme, report.noise?.outcome === 'too noisy' ? NO_FIGURES : headline(report)),
  )
  writeFigures()
}
