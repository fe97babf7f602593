// The report as Markdown: for a job summary, a comment, or a file beside the JSON. The verdict comes first; what only some
// readers want is folded; what GitHub would not take is left out, and said to be.
import { digestTable } from './digest.js'
import { duration, oneLine } from './format.js'
import { goalsTable } from './goals.js'
import { describe, describeRun, notes } from './notes.js'
import type { CostStep, Report } from './report.js'
import { carriedTable, failures, scenarioTable, withCarried, type Cell, type Table } from './table.js'
import { verdictOf, type Verdict } from './verdict.js'

/** What GitHub takes: bytes of a job summary, characters of a comment. Both with room for what others put before it. */
const SUMMARY_BYTES = 1024 * 1024 - 16_384
const COMMENT_CHARACTERS = 65_536 - 1024

/** How many failures are listed in sight, and how long each may be. */
const MOST_FAILURES = 20
const LONGEST_FAILURE = 300

const SIGNS: Record<Verdict['outcome'], string> = { 'too noisy': '⚪', failed: '🔴', missed: '🟡', fine: '🟢' }

export const toMarkdown = (report: Report): string => draw(report, Buffer.byteLength, SUMMARY_BYTES)

/** The same within a comment's length: scenarios are left out from the last on. */
export const toComment = (report: Report): string => draw(report, ({ length }) => length, COMMENT_CHARACTERS)

function draw(report: Report, sizeOf: (text: string) => number, limit: number): string {
  const details = [
    ...report.scenarios.map(scenario => fold(withCarried(scenarioTable(scenario), scenario))),
    ...[carriedTable(report)].filter(table => table !== undefined).map(fold),
  ]
  const head = headOf(report)
  let room = limit - sizeOf([...head, leftOut(details.length, details.length), FOOT].join('\n\n'))
  const kept = details.findIndex(text => (room -= sizeOf(text) + 2) < 0)
  const shown = kept === -1 ? details : details.slice(0, kept)
  const told = shown.length < details.length ? [leftOut(details.length - shown.length, details.length)] : []
  return `${[...head, ...shown, ...told, FOOT].join('\n\n')}\n`
}

const leftOut = (left: number, all: number): string =>
  `${left} of ${all} tables are left out here: GitHub takes no more. They are in report.html.`

const FOOT =
  'Medians; × is the median of the rounds’ own ratios to the reference, with what it lies between (95 %). How to read' +
  ' them: docs/benchmarking.md. All rounds: report.json.'

function headOf(report: Report): string[] {
  const { outcome, line } = verdictOf(report)
  const digest = digestTable(report)
  const goals = goalsTable(report)
  const failed = failures(report)
  const shown = failed.slice(0, MOST_FAILURES).map(text => cut(text, LONGEST_FAILURE))
  const rest = failed.length - shown.length
  return [
    `# Sallyport benchmark`,
    `${SIGNS[outcome]} **${line}**`,
    [describe(report.machine), describeRun(report), `${report.tool.name} ${report.tool.version}`].join('  \n'),
    ...(report.filter === null ? [] : [`Measured in part: \`--filter ${report.filter}\``]),
    ...(digest ? [drawTable(digest)] : []),
    ...(failed.length > 0 ? [`## Failed\n\n${list(rest > 0 ? [...shown, `and ${rest} more`] : shown)}`] : []),
    list(notes(report)),
    ...(goals ? [fold(goals)] : []),
    ...(report.isolationCost.length > 0 ? [drawCost(report.isolationCost)] : []),
  ].filter(Boolean)
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)} …` : text)

const list = (lines: readonly string[]): string => lines.map(line => `- ${escapeText(line)}`).join('\n')

/** An error may hold anything: it is shown, not obeyed. */
const escapeHtml = (text: string): string => text.replaceAll('<', '&lt;')

/** Nor is a link or a picture drawn of it. */
const escapeText = (text: string): string => escapeHtml(oneLine(text)).replaceAll('[', '\\[')

const escape = (text: string): string => escapeText(text).replaceAll('|', '\\|')

const drawRow = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`

const drawCell = ({ text, ratio, interval }: Cell): string =>
  ratio === undefined ? text : `${text} (${[ratio, interval].filter(Boolean).join(' · ')})`

/** Figures stand right; the name of a row, and what is said about it in words, stand left. */
function drawRows(head: readonly string[], rows: readonly string[][], words: readonly number[] = []): string {
  const aligns = head.map((_, at) => (at === 0 || words.includes(at) ? '---' : '---:'))
  return [head, aligns, ...rows].map(drawRow).join('\n')
}

const drawCells = ({ head, rows, words }: Table): string =>
  drawRows(
    head,
    rows.map(cells => cells.map(drawCell)),
    words,
  )

export const drawTable = (table: Table): string =>
  `## ${escapeText(table.title)}\n\n${escapeText(table.about)}\n\n${drawCells(table)}`

/** GitHub draws Markdown within, after an empty line. */
const foldText = (title: string, text: string): string =>
  `<details><summary>${escapeHtml(oneLine(title))}</summary>\n\n${text}\n\n</details>`

const fold = (table: Table): string => foldText(table.title, `${escapeText(table.about)}\n\n${drawCells(table)}`)

function drawCost(steps: readonly CostStep[]): string {
  const sign = { whole: '', step: '+ ', part: 'of that: ' } as const
  const time = (us: number | null): string => (us === null ? '–' : duration(us))
  const rows = steps.map(({ title, kind, alone, pipelined, derivation }) => [
    `${sign[kind]}${title}`,
    time(alone),
    time(pipelined),
    derivation,
  ])
  const drawn = drawRows(['', 'a call alone', 'each of 64 in flight', 'derived from'], rows, [3])
  return foldText('What isolation costs', `With JSON; means of the middle half of the rounds.\n\n${drawn}`)
}
