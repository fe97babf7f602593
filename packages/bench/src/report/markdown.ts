// The report as Markdown: for a job summary, with all details folded, and in short for a comment.
import { oneLine } from '../shared/text.js'
import type { Report } from './report.js'
import type { Cell, Table } from './table.js'
import { costTable, digestTable, getFailures, goalsTable, isSteady, scenarioTable } from './tables.js'
import { describeMachine, describeRun, getNotes, getVerdict, OUTCOMES } from './verdict.js'

// A comment on GitHub has at most 65,536 characters.
const MAX_FAILURES = 20
const LONG_FAILURE = /^(.{300}).+/

const FOOT =
  'Medians; × is the median of the ratios of the rounds to the reference, with its 95 % interval. All rounds are in report.json.'

export function toMarkdown(report: Report): string {
  const digest = digestTable(report)
  const scenarios = report.scenarios.map(scenario => scenarioTable(scenario, { judge: isSteady(report) }))
  return join([
    '# Sallyport benchmark',
    toVerdict(report),
    [describeMachine(report.machine), describeRun(report), `${report.tool.name} ${report.tool.version}`].join('  \n'),
    report.filter !== null && `Measured in part: \`--filter ${report.filter}\``,
    digest && `## ${escape(digest.title)}\n\n${toRows(digest)}`,
    listFailures(report),
    toList(getNotes(report)),
    ...[goalsTable(report), costTable(report), ...scenarios].map(table => table && fold(table)),
    FOOT,
  ])
}

/** Returns the verdict, the digest, the failures and the missed goals, with a link to the CI job. */
export function toComment(report: Report, runUrl?: string): string {
  const [digest, missed] = [digestTable(report), goalsTable(report, 'missed')]
  const facts = [describeMachine(report.machine), describeRun(report), runUrl && `[the run](${runUrl})`]
  return join([
    toVerdict(report),
    digest && toRows(digest),
    listFailures(report),
    missed && fold(missed),
    facts.filter(Boolean).join(' · '),
  ])
}

const join = (parts: readonly (string | false | undefined)[]): string => `${parts.filter(Boolean).join('\n\n')}\n`

function toVerdict(report: Report): string {
  const { outcome, line } = getVerdict(report)
  return `${OUTCOMES[outcome].emoji} **${line}**`
}

function listFailures(report: Report): string | false {
  const all = getFailures(report)
  const shown = all.slice(0, MAX_FAILURES).map(text => text.replace(LONG_FAILURE, '$1 …'))
  const more = all.length > shown.length ? [`and ${all.length - shown.length} more`] : []
  return all.length > 0 && `## Failed\n\n${toList([...shown, ...more])}`
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
