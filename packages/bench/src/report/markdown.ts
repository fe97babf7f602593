// The report as Markdown: for a job summary, a comment, or a file beside the JSON.
import { duration } from './format.js'
import { digestTable } from './digest.js'
import { goalsTable } from './goals.js'
import { describe, describeRun, notes } from './notes.js'
import type { CostStep, Report } from './report.js'
import { failures, scenarioTable, type Cell, type Table } from './table.js'

export function toMarkdown(report: Report): string {
  const digest = digestTable(report)
  const goals = goalsTable(report)
  const failed = failures(report)
  const parts = [
    `# Sallyport benchmark`,
    [describe(report.machine), describeRun(report), `${report.tool.name} ${report.tool.version}`].join('  \n'),
    ...(report.filter === null ? [] : [`Measured in part: \`--filter ${report.filter}\``]),
    ...(goals ? [drawTable(goals)] : []),
    ...(digest ? [drawTable(digest)] : []),
    ...(report.isolationCost.length > 0 ? [drawCost(report.isolationCost)] : []),
    list(notes(report)),
    ...(failed.length > 0 ? [`## Failed\n\n${list(failed)}`] : []),
    ...report.scenarios.map(scenarioTable).map(drawTable),
    'Medians over the rounds of this run; ratios are medians of the rounds’ own ratios. How to read them:' +
      ' docs/benchmarking.md. All rounds: report.json.',
  ]
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

const list = (lines: readonly string[]): string => lines.map(line => `- ${line}`).join('\n')

const escape = (text: string): string => text.replaceAll('|', '\\|')

const drawRow = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`

const drawCell = ({ text, ratio }: Cell): string => (ratio === undefined ? text : `${text} (${ratio})`)

/** Figures stand right; the name of a row, and what is said about it in words, stand left. */
function drawRows(head: readonly string[], rows: readonly string[][], words: readonly number[] = [0]): string {
  const aligns = head.map((_, at) => (words.includes(at) ? '---' : '---:'))
  return [head, aligns, ...rows].map(drawRow).join('\n')
}

const drawTable = ({ title, about, head, rows }: Table): string =>
  `## ${title}\n\n${about}\n\n${drawRows(
    head,
    rows.map(cells => cells.map(drawCell)),
  )}`

function drawCost(steps: readonly CostStep[]): string {
  const sign = { whole: '', step: '+ ', part: 'of that: ' } as const
  const time = (us: number | null): string => (us === null ? '–' : duration(us))
  const rows = steps.map(({ title, kind, alone, pipelined, derivation }) => [
    `${sign[kind]}${title}`,
    time(alone),
    time(pipelined),
    derivation,
  ])
  return `## What isolation costs\n\nWith JSON; means of the middle half of the rounds.\n\n${drawRows(['', 'a call alone', 'each of 64 in flight', 'derived from'], rows, [0, 3])}`
}
