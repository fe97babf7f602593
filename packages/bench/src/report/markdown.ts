// The report as Markdown: in full for a job summary, with its details folded, and in short for a comment.
import { oneLine } from '../shared/text.js'
import type { Report } from './report.js'
import { costTable, digestTable, getFailures, goalsTable, isJudged, scenarioTable } from './tables.js'
import type { Cell, Table } from './tables.js'
import { describeMachine, describeRun, getNotes, getVerdict, type Verdict } from './verdict.js'

const MOST_FAILURES = 20
const LONGEST_FAILURE = 300

const SIGNS: Record<Verdict['outcome'], string> = { 'too noisy': '⚪', failed: '🔴', missed: '🟡', fine: '🟢' }

const FOOT =
  'Medians; × is the median of the ratios of the rounds to the reference, with its 95 % interval. All rounds are in report.json.'

const join = (parts: readonly (string | false | undefined)[]): string => `${parts.filter(Boolean).join('\n\n')}\n`

export function toMarkdown(report: Report): string {
  const [digest, ...folded] = [digestTable(report), goalsTable(report), costTable(report)]
  const scenarios = report.scenarios.map(scenario => scenarioTable(scenario, { judge: isJudged(report) }))
  return join([
    '# Sallyport benchmark',
    drawVerdict(report),
    [describeMachine(report.machine), describeRun(report), `${report.tool.name} ${report.tool.version}`].join('  \n'),
    report.filter !== null && `Measured in part: \`--filter ${report.filter}\``,
    digest && drawTable(digest),
    drawFailures(report),
    drawList(getNotes(report)),
    ...[...folded, ...scenarios].map(table => table && fold(table)),
    FOOT,
  ])
}

/** The verdict, the digest, what failed and the missed goals, with a link to the run: always shorter than a comment can be. */
export function toComment(report: Report, runUrl?: string): string {
  const [digest, missed] = [digestTable(report), goalsTable(report, 'missed')]
  return join([
    drawVerdict(report),
    digest && drawRows(digest),
    drawFailures(report),
    missed && fold(missed),
    `${describeMachine(report.machine)} · ${describeRun(report)}${runUrl === undefined ? '' : ` · [the run](${runUrl})`}`,
  ])
}

const drawVerdict = (report: Report): string => {
  const { outcome, line } = getVerdict(report)
  return `${SIGNS[outcome]} **${line}**`
}

function drawFailures(report: Report): string | undefined {
  const failed = getFailures(report)
  const cut = failed.map(text => (text.length > LONGEST_FAILURE ? `${text.slice(0, LONGEST_FAILURE)} …` : text))
  const more = failed.length > MOST_FAILURES ? [`and ${failed.length - MOST_FAILURES} more`] : []
  return failed.length > 0 ? `## Failed\n\n${drawList([...cut.slice(0, MOST_FAILURES), ...more])}` : undefined
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

const drawTable = (table: Table): string => `## ${escape(table.title)}\n\n${drawRows(table)}`

/** Folds a table: GitHub draws Markdown after an empty line. */
const fold = (table: Table): string =>
  `<details><summary>${escapeHtml(table.title)}</summary>\n\n${drawRows(table)}\n\n</details>`
