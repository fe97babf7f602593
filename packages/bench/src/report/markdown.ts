// The report as Markdown for a job summary: the digest, and all details folded.
import { oneLine } from '../shared/text.js'
import type { Report } from './report.js'
import type { Cell, Table } from './table.js'
import { costTable, digestTable, getFailures, goalsTable, isSteady, scenarioTable } from './tables.js'
import { describeMachine, describeRun, getNotes, getVerdict, OUTCOMES } from './verdict.js'

const FOOT =
  'Medians; × is the median of the ratios of the rounds to the reference, with its 95 % interval. All rounds are in report.json.'

export function toMarkdown(report: Report): string {
  const { outcome, line } = getVerdict(report)
  const [digest, failures] = [digestTable(report), getFailures(report)]
  const scenarios = report.scenarios.map(scenario => scenarioTable(scenario, { judge: isSteady(report) }))
  const parts = [
    '# Sallyport benchmark',
    `${OUTCOMES[outcome].emoji} **${line}**`,
    [describeMachine(report.machine), describeRun(report), `${report.tool.name} ${report.tool.version}`].join('  \n'),
    report.filter !== null && `Measured in part: \`--filter ${report.filter}\``,
    digest && `## ${escape(digest.title)}\n\n${toRows(digest)}`,
    failures.length > 0 && `## Failed\n\n${toList(failures)}`,
    toList(getNotes(report)),
    ...[goalsTable(report), costTable(report), ...scenarios].map(table => table && fold(table)),
    FOOT,
  ]
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

const toList = (lines: readonly string[]): string => lines.map(line => `- ${escape(line)}`).join('\n')

/** Keeps third-party text from becoming HTML, a link or a picture. */
const escape = (text: string): string => escapeHtml(text).replaceAll('[', '\\[')
const escapeHtml = (text: string): string => oneLine(text).replaceAll('<', '&lt;')

const toText = ({ text, note, interval }: Cell): string =>
  note === undefined ? text : `${text} (${[note, interval].filter(Boolean).join(' · ')})`

function toRows({ about, columns, rows }: Table): string {
  const lines = [
    columns.map(({ title }) => title),
    columns.map(({ align }) => (align === 'left' ? '---' : '---:')),
    ...rows.map(cells => cells.map(toText)),
  ].map(cells => `| ${cells.map(cell => escape(cell).replaceAll('|', '\\|')).join(' | ')} |`)
  return `${escape(about)}\n\n${lines.join('\n')}`
}

/** GitHub reads Markdown within HTML after an empty line. */
const fold = (table: Table): string =>
  `<details><summary>${escapeHtml(table.title)}</summary>\n\n${toRows(table)}\n\n</details>`
