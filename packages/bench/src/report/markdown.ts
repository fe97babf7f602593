// The report as Markdown for a job summary. All tables but the first are folded.
import { keepUnits, oneLine, plain } from '../shared/text.js'
import type { Answer } from './answer.js'
import { getAnswers } from './answers.js'
import { drawBars } from './terminal.js'
import type { Report } from './report.js'
import type { Cell, Table } from './table.js'
import { getFailures, getTables } from './tables.js'
import { describeMachine, describeRun, getNotes, getVerdict, OUTCOMES } from './verdict.js'

const FOOT =
  'Medians; × is the median of the ratios of the rounds to the reference, with its 95 % interval. All rounds are in report.json.'

export function toMarkdown(report: Report): string {
  const [first, ...others] = getTables(report).map(({ table }) => table)
  return join([
    '# Sallyport benchmark',
    toVerdict(report),
    [describeMachine(report.machine), describeRun(report), `${report.tool.name} ${report.tool.version}`].join('  \n'),
    ...getAnswers(report).map(toSection),
    report.filter !== null && `Measured in part: \`--filter ${report.filter}\``,
    first && `## ${escape(first.title)}\n\n${toRows(first)}`,
    listFailures(report),
    toList(getNotes(report)),
    ...others.map(fold),
    FOOT,
  ])
}

/** Fits a phone. */
const BAR_COLUMNS = 48

const oneRow = (line: string): string => plain(line).replaceAll('\n', ' ')

const toSection = ({ question, sentence, bars }: Answer): string =>
  `## ${escape(question)}\n\n${keepUnits(escape(sentence))}\n\n~~~text\n${drawBars(bars, BAR_COLUMNS).map(oneRow).join('\n')}\n~~~`

const join = (parts: readonly (string | false | undefined)[]): string => `${parts.filter(Boolean).join('\n\n')}\n`

function toVerdict(report: Report): string {
  const { outcome, line } = getVerdict(report)
  return `${OUTCOMES[outcome].emoji} **${line}**`
}

function listFailures(report: Report): string | false {
  const all = getFailures(report)
  return all.length > 0 && `## Failed\n\n${toList(all)}`
}

const toList = (lines: readonly string[]): string => lines.map(line => `- ${escape(line)}`).join('\n')

/** Keeps third-party text from becoming HTML, a link or a picture. */
const escape = (text: string): string => escapeHtml(text).replaceAll('[', '\\[')
const escapeHtml = (text: string): string => oneLine(text).replaceAll('<', '&lt;')

const escapeCell = (text: string): string => escape(text).replaceAll('|', '\\|')

const toText = ({ text, note, interval }: Cell): string =>
  escapeCell(note === undefined ? text : `${text} (${[note, interval].filter(Boolean).join(' · ')})`)

function toRows({ about, columns, rows }: Table): string {
  const lines = [
    columns.map(({ title }) => escapeCell(title)),
    columns.map(({ align }) => (align === 'left' ? '---' : '---:')),
    ...rows.map(cells => cells.map(toText)),
  ].map(cells => `| ${cells.join(' | ')} |`)
  return `${escape(about)}\n\n${lines.join('\n')}`
}

/** GitHub reads Markdown within HTML after an empty line. */
const fold = (table: Table): string =>
  `<details><summary>${escapeHtml(table.title)}</summary>\n\n${toRows(table)}\n\n</details>`
