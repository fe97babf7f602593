// The report as one HTML file that needs nothing else: no server, no network, and no script to be read.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { data, formatRatio, h, Html } from '../shared/text.js'
import { getAnswer } from './answer.js'
import { drawForest } from './charts.js'
import type { Report, ScenarioReport } from './report.js'
import type { Cell, Column, Table } from './table.js'
import { costTable, digestTable, getFailures, getKinds, goalsTable, scenarioTable } from './tables.js'
import { createJudge, isSteady } from './tone.js'
import { describeMachine, describeRun, getNotes, getVerdict, OUTCOMES } from './verdict.js'

const readPage = (name: string): string => readFileSync(new URL(`../../page/${name}`, import.meta.url), 'utf8')

/** @param goals shows the goals of the project */
export function toHtml(report: Report, goals = false): string {
  const { tool, plan, startedAt } = report
  const [css, script, sections] = [readPage('report.css'), readPage('page.js'), getSections(report, goals)]
  // No other script runs, even if text of the report contained one.
  const hash = createHash('sha256').update(script).digest('base64')
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${hash}'`
  return h`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${policy}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Sallyport benchmark, ${startedAt.slice(0, 10)}</title>
        <link rel="icon" href="data:,">
        <style>${new Html(css)}</style>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the figures</a>
        ${drawHeader(report)}
        <div class="frame">
          <nav aria-label="Contents"><details open><summary>Contents</summary>
            <ol>${sections.map(({ id, title }) => h`<li><a href="#${id}">${title}</a></li>`)}</ol>
          </details></nav>
          <main id="main" tabindex="-1">
            ${sections.map(drawSection)}
          </main>
        </div>
        <footer>
          ${tool.name} ${tool.version} · medians of ${plan.processes} × ${plan.rounds} rounds, and below each its ratio to the
          reference with its 95 % interval · all rounds are in report.json
        </footer>
        <script>${new Html(script)}</script>
      </body>
    </html>`.text
}

function drawHeader(report: Report): Html {
  const { outcome, line } = getVerdict(report)
  const failed = getFailures(report).slice(0, 5)
  const answer = getAnswer(report)
  return h`<header>
    <h1>Sallyport benchmark</h1>
    ${answer !== undefined && h`<p class="answer">${answer}</p>`}
    <p class="verdict ${outcome.replace(' ', '-')}"><span aria-hidden="true">${OUTCOMES[outcome].sign}</span> ${line}</p>
    <p class="machine">${describeMachine(report.machine)}<br>${describeRun(report)}
      ${report.filter !== null && h`· measured in part: <code>--filter ${report.filter}</code>`}</p>
    <ul class="notes">
      ${[...getNotes(report), ...failed.map(text => `Failed: ${text}`)].map(text => h`<li>${text}</li>`)}
    </ul>
  </header>`
}

interface Section {
  id: string
  title: string
  about: string
  content: Html | readonly (Html | undefined)[]
}

const getSections = (report: Report, goals: boolean): Section[] => [
  ...drawSummary('in-short', digestTable(report)),
  ...drawSummary('isolation-cost', costTable(report)),
  ...report.scenarios.map(scenario => drawScenario(scenario, report)),
  ...(goals ? drawSummary('the-goals', goalsTable(report), drawGoals(report)) : []),
]

const drawSection = ({ id, title, about, content }: Section): Html =>
  h`<section id="${id}"><h2>${title}</h2> <p class="about">${about}</p> ${content}</section>`

const drawSummary = (id: string, table: Table | undefined, content = table && toHtmlTable(table)): Section[] =>
  table && content ? [{ id, title: table.title, about: table.about, content }] : []

/** Shows the missed goals, and folds the list of all goals. */
function drawGoals(report: Report): Html | undefined {
  const [all, missed] = [goalsTable(report), goalsTable(report, 'missed')]
  if (!all) return undefined
  return h`${missed && toHtmlTable(missed)}${fold('All goals', toHtmlTable(all))}`
}

const fold = (summary: string, ...content: Html[]): Html =>
  h`<details class="more"><summary>${summary}</summary>${content}</details>`

/** Shows the first chart, and folds the others with the table. */
function drawScenario(scenario: ScenarioReport, report: Report): Section {
  const { arms, cases } = scenario
  const { processes } = report.plan
  const reference = arms.find(({ id }) => id === scenario.reference)?.title ?? scenario.reference
  const payloads = [...new Set(cases.map(({ payload }) => payload))].join(' · ')
  const rounds = `${scenario.measuredRounds} rounds in ${processes === 1 ? 'one process' : `${processes} processes`}`
  const failed = getFailures({ scenarios: [scenario] })
  const table = scenarioTable(scenario, { all: true, judge: createJudge(report) })
  const [first, ...others] = drawCharts(scenario, table, { reference, judge: isSteady(report) })
  const summary = `All figures${others.map(({ name }) => `; ratios of ${name}`).join('')}`
  return {
    id: `scenario-${scenario.id}`,
    title: scenario.title,
    about: scenario.about,
    content: h`${failed.length > 0 && h`<div class="note failed"><h3>Failed</h3><ul>${failed.map(text => h`<li>${text}</li>`)}</ul></div>`}
      ${first?.panel}
      ${fold(
        summary,
        h`<p class="about">Reference: ${reference}. ${rounds}. Payload: ${payloads}.</p>`,
        ...others.map(({ panel }) => panel),
        toHtmlTable(table),
      )}`,
  }
}

/** Draws a chart for each kind of figure, with the cells of all cases. */
function drawCharts(
  { id, arms, cases }: ScenarioReport,
  table: Table,
  options: { reference: string; judge: boolean },
): { name: string; panel: Html }[] {
  const cells = new Map(table.rows.flat().map(cell => [cell.path, cell]))
  return getKinds(cases).flatMap(kind => {
    const groups = cases.map(inCase => ({
      title: inCase.title,
      rows: arms.flatMap(arm => {
        const cell = cells.get([id, inCase.id, arm.id, kind.id].join('/'))
        return cell ? [{ name: arm.title, cell }] : []
      }),
    }))
    // The title of a rate names its case, but a chart has all cases.
    const name = kind.unit === '/s' ? 'rate' : kind.title || kind.id
    const chart = drawForest(groups, { title: `Ratios: ${name}`, ...options })
    return chart ? [{ name, panel: h`<div class="panel">${chart}</div>` }] : []
  })
}

/** Draws a table that the keyboard scrolls if it is wider than the screen. Each number is a `<data>` with its full value. */
function toHtmlTable({ title, columns, groups, rows }: Table): Html {
  const drawHead = (column: Column): Html =>
    column.title === '' ? h`<td></td>` : h`<th scope="col" class="${getKind(column)}">${column.title}</th>`
  const above = groups?.map(group => h`<th scope="colgroup" colspan="${group.span}">${group.title}</th>`)
  const drawRow = ([name, ...cells]: readonly Cell[]): Html =>
    h`<tr>
      <th scope="row">${name!.text}${name!.note && h`<span class="sub">${name!.note}</span>`}</th>
      ${cells.map((cell, at) => drawCell(cell, getKind(columns[at + 1]!)))}</tr> `
  return h`<div class="scroll" role="group" aria-label="${title}" tabindex="0"><table>
    <caption class="hidden">${title}</caption>
    <thead>${above && h`<tr><td></td>${above}</tr>`}<tr>${columns.map(drawHead)}</tr></thead>
    <tbody>${rows.map(drawRow)}</tbody>
  </table></div>`
}

const getKind = ({ align }: Column): string => (align === 'left' ? 'words' : '')

function drawCell({ text, note, tone, figure, path }: Cell, kind: string): Html {
  const missing = h`<span aria-hidden="true">–</span><span class="hidden">not measured</span>`
  const [low, high] = (figure?.interval ?? []).map(bound => data(bound, formatRatio(bound).slice(0, -1)))
  const bounds = low && h` <span class="interval">${low}–${high}</span>`
  const shown = tone === 'missing' ? missing : figure ? data(figure.median, text) : text
  const sub = note !== undefined && h`<span class="sub">${data(figure!.ratio!, note)}${bounds}</span>`
  return h`<td${path && h` data-figure="${path}"`} class="${[kind, tone].filter(Boolean).join(' ')}">${shown}${sub}</td>`
}
