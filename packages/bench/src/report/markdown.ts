// The report as Markdown: for a job summary, with all details folded, and in short for a comment.
import { oneLine } from '../shared/text.js'
import { getAnswer } from './answer.js'
import type { Report } from './report.js'
import type { Cell, Table } from './table.js'
import { costTable, digestTable, getFailures, goalsTable, scenarioTable } from './tables.js'
import { createJudge } from './tone.js'
import { describeMachine, describeRun, getNotes, getVerdict, OUTCOMES } from './verdict.js'

/** Options of the files of a report. */
export interface ViewOptions {
  /** The URL of the CI job, which the comment links to. */
  runUrl?: string | undefined
  /** Shows the goals of the project. `report.json` always has them. @default false */
  goals?: boolean
}

// A comment on GitHub has at most 65,536 characters.
const MAX_FAILURES = 20
const LONG_FAILURE = /^(.{300}).+/

const FOOT =
  'Medians; × is the median of the ratios of the rounds to the reference, with its 95 % interval. All rounds are in report.json.'

/** @param goals shows the goals of the project */
export function toMarkdown(report: Report, goals = false): string {
  const digest = digestTable(report)
  const judge = createJudge(report)
  const scenarios = report.scenarios.map(scenario => scenarioTable(scenario, { judge }))
  return join([
    '# Sallyport benchmark',
    getAnswer(report),
    toVerdict(report),
    [describeMachine(report.machine), describeRun(report), `${report.tool.name} ${report.tool.version}`].join('  \n'),
    report.filter !== null && `Measured in part: \`--filter ${report.filter}\``,
    digest && `## ${escape(digest.title)}\n\n${toRows(digest)}`,
    listFailures(report),
    toList(getNotes(report)),
    ...[goals && goalsTable(report), costTable(report), ...scenarios].map(table => table && fold(table)),
    FOOT,
  ])
}

/** Returns the answer, the verdict, the digest, the failures and, if they are wanted, the missed goals, with a link to the CI job. */
export function toComment(report: Report, { runUrl, goals = false }: ViewOptions = {}): string {
  const [digest, missed] = [digestTable(report), goals && goalsTable(report, 'missed')]
  const facts = [describeMachine(report.machine), describeRun(report), runUrl && `[the run](${runUrl})`]
  return join([
    getAnswer(report),
    toVerdict(report),
    digest && toRows(digest, toNarrowText),
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

const escapeCell = (text: string): string => escape(text).replaceAll('|', '\\|')

const toText = ({ text, note, interval }: Cell): string =>
  escapeCell(note === undefined ? text : `${text} (${[note, interval].filter(Boolean).join(' · ')})`)

const SIGNS = { better: '🟢', worse: '🟠' }

/** Keeps a figure on one line, its ratio below it, and the interval small. A ratio in bold is better or worse than the reference. */
function toNarrowText({ text, note, interval, tone }: Cell): string {
  if (note === undefined) return keepTogether(text)
  const ratio = tone === 'better' || tone === 'worse' ? `**${note}** ${SIGNS[tone]}` : note
  return [text, ratio].map(keepTogether).join('<br>') + (interval ? `<br><sub>${keepTogether(interval)}</sub>` : '')
}

/** Without a break at a space or at the dash of an interval. */
const keepTogether = (text: string): string =>
  /\d/.test(text) ? escapeCell(text).replaceAll(' ', '&nbsp;').replaceAll('–', '&NoBreak;–&NoBreak;') : escapeCell(text)

function toRows({ about, columns, rows }: Table, draw = toText): string {
  const lines = [
    columns.map(({ title }) => escapeCell(title)),
    columns.map(({ align }) => (align === 'left' ? '---' : '---:')),
    ...rows.map(([name, ...cells]) => [toText(name!), ...cells.map(draw)]),
  ].map(cells => `| ${cells.join(' | ')} |`)
  return `${escape(about)}\n\n${lines.join('\n')}`
}

/** GitHub reads Markdown within HTML after an empty line. */
const fold = (table: Table): string =>
  `<details><summary>${escapeHtml(table.title)}</summary>\n\n${toRows(table)}\n\n</details>`
