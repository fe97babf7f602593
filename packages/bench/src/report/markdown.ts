// The report as Markdown for a job summary. The tables of the scenarios are folded.
import { describeMachine } from '#measure/machine'
import { OUTCOMES } from '#measure/screen'
import { oneLine } from '#measure/text'
import { keepUnits } from '../shared/text.js'
import { type Cell, getAnswers, getTables, type Table } from './answers.js'
import { getFailures, type Report } from './report.js'
import { describeRun, getNotes, getVerdict } from './noise.js'

const FOOT = 'Medians, and from six rounds on ratios with their 95 % intervals. All rounds are in report.json.'

export function toMarkdown(report: Report): string {
  const { outcome, line } = getVerdict(report)
  const failures = getFailures(report)
  const parts = [
    '# Sallyport benchmark',
    `${OUTCOMES[outcome].emoji} **${line}**`,
    ...getAnswers(report).flatMap(({ title, sentence, ...table }) => [
      `## ${escape(title)}`,
      sentence && keepUnits(escape(sentence)),
      toRows(table),
    ]),
    [describeMachine(report.machine), describeRun(report), `${report.tool.name} ${report.tool.version}`].join('  \n'),
    report.filter !== null && `Measured in part: \`--filter ${report.filter}\``,
    failures.length > 0 && `## Failed\n\n${toList(failures)}`,
    toList(getNotes(report)),
    ...getTables(report).map(({ table }) => fold(table)),
    FOOT,
  ]
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

const toList = (lines: readonly string[]): string => lines.map(line => `- ${escape(line)}`).join('\n')

/** Keeps third-party text from becoming HTML, a link or a picture. */
const escape = (text: string): string => escapeHtml(text).replaceAll('[', '\\[')
const escapeHtml = (text: string): string => oneLine(text).replaceAll('<', '&lt;')

const escapeCell = (text: string): string => escape(text).replaceAll('|', '\\|')

const toText = ({ text, note, interval }: Cell): string =>
  escapeCell(note === undefined ? text : `${text} (${[note, interval].filter(Boolean).join(' · ')})`)

function toRows({ about, columns, rows, names = 1 }: Omit<Table, 'title' | 'sentence'>): string {
  const lines = [
    columns.map(escapeCell),
    columns.map((_, at) => (at < names ? '---' : '---:')),
    ...rows.map(cells => cells.map(toText)),
  ].map(cells => `| ${cells.join(' | ')} |`)
  return `${lines.join('\n')}\n\n${escape(about)}.`
}

/** GitHub reads Markdown within HTML after an empty line. */
const fold = (table: Table): string =>
  `<details><summary>${escapeHtml(table.title)}</summary>\n\n${toRows(table)}\n\n</details>`
