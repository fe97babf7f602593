// The report as Markdown, within what GitHub takes: the verdict comes first, and details are folded.
import { oneLine } from '../shared/text.js'
import type { Report } from './report.js'
import { costTable, digestTable, getFailures, goalsTable, scenarioTable } from './tables.js'
import type { Cell, Table } from './tables.js'
import { describeMachine, describeRun, getNotes, getVerdict, type Verdict } from './verdict.js'

/** The bytes of a job summary and the characters of a comment that GitHub takes, with room for what others put before them. */
const SUMMARY_BYTES = 1024 * 1024 - 16_384
const COMMENT_CHARACTERS = 65_536 - 1024

const MOST_FAILURES = 20
const LONGEST_FAILURE = 300

const SIGNS: Record<Verdict['outcome'], string> = { 'too noisy': '⚪', failed: '🔴', missed: '🟡', fine: '🟢' }

const FOOT =
  'Medians; × is the median of the ratios of the rounds to the reference, with its 95 % interval. How to read' +
  ' them: docs/benchmarking.md. All rounds: report.json.'

export const toMarkdown = (report: Report): string => draw(report, Buffer.byteLength, SUMMARY_BYTES)

/** The report within a comment's length: tables are left out from the last on. */
export const toComment = (report: Report): string => draw(report, ({ length }) => length, COMMENT_CHARACTERS)

function draw(report: Report, getSize: (text: string) => number, limit: number): string {
  const details = report.scenarios.map(scenario => fold(scenarioTable(scenario)))
  const head = drawHead(report)
  const leftOut = (left: number): string =>
    `${left} of ${details.length} tables are left out here: GitHub takes no more. They are in report.html.`
  let room = limit - getSize([...head, leftOut(details.length), FOOT].join('\n\n'))
  const shown = details.filter(text => (room -= getSize(text) + 2) >= 0)
  const note = shown.length < details.length ? [leftOut(details.length - shown.length)] : []
  return `${[...head, ...shown, ...note, FOOT].join('\n\n')}\n`
}

function drawHead(report: Report): string[] {
  const { outcome, line } = getVerdict(report)
  const [digest, goals, cost] = [digestTable(report), goalsTable(report), costTable(report.isolationCost)]
  const failed = getFailures(report)
  const cut = failed.map(text => (text.length > LONGEST_FAILURE ? `${text.slice(0, LONGEST_FAILURE)} …` : text))
  const more = failed.length > MOST_FAILURES ? [`and ${failed.length - MOST_FAILURES} more`] : []
  const parts = [
    '# Sallyport benchmark',
    `${SIGNS[outcome]} **${line}**`,
    [describeMachine(report.machine), describeRun(report), `${report.tool.name} ${report.tool.version}`].join('  \n'),
    report.filter !== null && `Measured in part: \`--filter ${report.filter}\``,
    digest && drawTable(digest),
    failed.length > 0 && `## Failed\n\n${drawList([...cut.slice(0, MOST_FAILURES), ...more])}`,
    drawList(getNotes(report)),
    goals && fold(goals),
    cost && fold(cost),
  ]
  return parts.flatMap(part => part || [])
}

const drawList = (lines: readonly string[]): string => lines.map(line => `- ${escape(line)}`).join('\n')

/** Third-party text is shown as it is: no HTML, no link and no picture comes of it. */
const escape = (text: string): string => escapeHtml(text).replaceAll('[', '\\[')

const escapeHtml = (text: string): string => oneLine(text).replaceAll('<', '&lt;')

const drawCell = ({ text, ratio, interval }: Cell): string =>
  ratio === undefined ? text : `${text} (${[ratio, interval].filter(Boolean).join(' · ')})`

/** Figures are aligned right, names of rows and words left. */
function drawRows({ about, head, rows, words = [] }: Table): string {
  const aligns = head.map((_, at) => (at === 0 || words.includes(at) ? '---' : '---:'))
  const lines = [head, aligns, ...rows.map(cells => cells.map(drawCell))].map(
    cells => `| ${cells.map(cell => escape(cell).replaceAll('|', '\\|')).join(' | ')} |`,
  )
  return `${escape(about)}\n\n${lines.join('\n')}`
}

export const drawTable = (table: Table): string => `## ${escape(table.title)}\n\n${drawRows(table)}`

/** Folds a table: GitHub draws Markdown after an empty line. */
export const fold = (table: Table): string =>
  `<details><summary>${escapeHtml(table.title)}</summary>\n\n${drawRows(table)}\n\n</details>`
