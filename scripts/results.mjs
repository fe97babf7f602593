// node scripts/results.mjs [report.json]: writes docs/internals/results.md and README's short table from one full run on this machine that
// passed its noise check, or from the report of one. Without such a run in three tries, it writes nothing and exits with 3.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toComment, toMarkdown } from '../packages/bench/dist/report/markdown.js'
import { getVerdict } from '../packages/bench/dist/report/verdict.js'

const at = path => fileURLToPath(new URL(`../${path}`, import.meta.url))

const TRIES = 3
const [BEGIN, END] = ['<!-- results -->', '<!-- /results -->']

/** The short table of the README: the digest of the run, as `npm run bench` ends with, and where it was measured. */
export function headline(report) {
  const { machine, startedAt } = report
  const table = toComment(report)
    .split('\n')
    .filter(line => line.startsWith('| '))
  // The first table of a comment is the digest; the goals are the second.
  const end = table.findIndex((line, index) => index > 0 && line.startsWith('|  |'))
  const where = `${startedAt.slice(0, 10)}, ${machine.cores} × ${machine.cpu}, Node ${machine.node.slice(1)}`
  return [table[0].replace('|  |', `| ${where} |`), ...table.slice(1, end < 0 ? undefined : end)].join('\n')
}

/** What stands between the marks. */
export const blockOf = text => text.slice(text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)).trim()

const withBlock = (text, block) =>
  `${text.slice(0, text.indexOf(BEGIN) + BEGIN.length)}\n\n${block}\n\n${text.slice(text.indexOf(END))}`

/** Names the file of each record of decisions that the goals refer to. */
const linkRecords = text =>
  text.replaceAll(/ADR (\d+)/g, (name, number) => {
    const file = readdirSync(at('docs/adr')).find(entry => entry.startsWith(number.padStart(4, '0')))
    return `[${name}](../adr/${file})`
  })

const page = report => `# Results

Written by \`npm run results\` from a run of \`sallyport-bench --all --full\` that passed its noise check: of one machine, on one day.
Measure on yours (\`npm run bench\`) before you decide by figures; ratios travel better than times, and
[how it measures](benchmark.md) says what an interval means.

${BEGIN}

${headline(report)}

${END}

Each in threads of its own, as [the benchmark's peers](benchmark.md#peers) are used; × is the ratio to the raw MessagePort of the
same rounds. A raw MessagePort checks nothing and authorizes nobody; nor do the other libraries.

${linkRecords(toMarkdown(report))
  .replace(/^# .*\n/, '')
  .replaceAll(/<details><summary>(.*)<\/summary>/g, '## $1')
  .replaceAll('\n\n</details>', '')
  .trim()}
`

const read = path => JSON.parse(readFileSync(path, 'utf8'))

function measure() {
  const out = at('bench-report/results')
  const args = [at('packages/bench/dist/cli.js'), '--all', '--full', '--out', out]
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
    if (status === 0 || status === 1) break
    if (status !== 3) process.exit(status ?? 1)
  }
  return `${out}/report.json`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = read(process.argv[2] ?? measure())
  if (report.noise?.outcome !== 'steady') {
    console.error(
      `Nothing was written. ${getVerdict(report).line} Close what else runs, and repeat \`npm run results\`.`,
    )
    process.exit(3)
  }
  writeFileSync(at('docs/internals/results.md'), page(report))
  writeFileSync(at('README.md'), withBlock(readFileSync(at('README.md'), 'utf8'), headline(report)))
}
