// The report as one HTML file that needs nothing else: no server, no network, and no script to be read.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { data, formatRatio, h, Html, prose } from '../shared/text.js'
import { NOISE } from '../model/scenario.js'
import { drawChart, forest, type Chart } from './charts.js'
import type { Figure, Report, ScenarioReport } from './report.js'
import { costTable, digestTable, getFailures, getHeadlines, getKinds, goalsTable } from './tables.js'
import { isJudged, noiseTable, scenarioTable, type Cell, type Table } from './tables.js'
import { describeMachine, describeRun, getNotes, getVerdict } from './verdict.js'

const readPage = (name: string): string => readFileSync(new URL(`../../page/${name}`, import.meta.url), 'utf8')

export function toHtml(report: Report): string {
  const { tool, plan, startedAt } = report
  const [css, script, sections] = [readPage('report.css'), readPage('page.js'), getSections(report)]
  // This script runs, and nothing else that might have got in.
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
            ${sections.map(({ id, title, content }) => h`<section id="${id}"><h2>${title}</h2> ${content}</section>`)}
          </main>
        </div>
        <footer>
          ${tool.name} ${tool.version} · medians of ${plan.processes} × ${plan.rounds} rounds · all rounds are in
          report.json
        </footer>
        <script>${new Html(script)}</script>
      </body>
    </html>`.text
}

const SIGNS = { 'too noisy': '≈', failed: '✕', missed: '!', fine: '✓' } as const

function drawHeader(report: Report): Html {
  const { outcome, line } = getVerdict(report)
  const failed = getFailures(report).slice(0, 5)
  return h`<header>
    <h1>Sallyport benchmark</h1>
    <p class="verdict ${outcome.replace(' ', '-')}"><span aria-hidden="true">${SIGNS[outcome]}</span> ${line}</p>
    <dl class="headlines">${getHeadlines(report).map(
      ({ title, cell, reference }) =>
        h`<div><dt>${title}</dt><dd><strong>${data(cell.value!, cell.text)}</strong>
          <span class="sub">${cell.ratio} ${cell.interval && `(${cell.interval})`} of ${reference}</span></dd></div>`,
    )}</dl>
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
  content: Html | readonly (Html | undefined)[]
}

const getSections = (report: Report): Section[] => [
  ...drawSummary('in-short', digestTable(report)),
  ...drawGoals(report),
  ...drawSummary('isolation-cost', costTable(report)),
  ...report.scenarios.map(scenario => drawScenario(scenario, report)),
]

const drawSummary = (id: string, table: Table | undefined): Section[] =>
  table ? [{ id, title: table.title, content: [drawAbout(table), drawTable(table, 'hidden')] }] : []

/** The missed goals in sight, and all of them folded. */
function drawGoals(report: Report): Section[] {
  const [all, missed] = [goalsTable(report), goalsTable(report, 'missed')]
  if (!all) return []
  const [inSight, folded] = [missed && drawTable(missed, 'hidden'), drawMore('All goals', drawTable(all, 'hidden'))]
  return [{ id: 'the-goals', title: all.title, content: [drawAbout(all), inSight, folded] }]
}

const drawAbout = ({ about }: Table): Html => h`<p class="about">${about}</p>`

/** With more arms, each case has a forest plot of its own. */
const MOST_ARMS = 8

/** Charts are chosen by what the figures are: an unknown scenario has a forest plot and tables like any other. */
function drawScenario(scenario: ScenarioReport, report: Report): Section {
  const { arms, cases } = scenario
  const { plan } = report
  const judge = isJudged(report)
  const getTitle = (id: string): string => arms.find(arm => arm.id === id)?.title ?? id
  // Titles of a rate name their case; a chart has all cases.
  const getName = ({ id, title, unit }: Figure): string => (unit === '/s' ? 'rate' : title || id)
  const reference = getTitle(scenario.reference)
  const processes = plan.processes === 1 ? 'one process' : `${plan.processes} fresh processes`
  const payloads = [...new Set(cases.map(({ payload }) => payload))].join(' · ')
  const facts = `Reference: ${reference}. ${scenario.measuredRounds} rounds in ${processes}. Payload: ${payloads}.`
  const failed = getFailures({ scenarios: [scenario] })
  const noise = scenario.id === NOISE ? noiseTable(report) : undefined
  const forests = getKinds(cases).flatMap(kind => {
    const groups = cases.map(({ title, results }) => {
      const figures = results.map(({ arm, figures: of }) => ({ arm, figure: of.find(({ id }) => id === kind.id) }))
      return { title, rows: figures.flatMap(({ arm, figure }) => (figure ? [{ name: getTitle(arm), figure }] : [])) }
    })
    if (arms.length <= MOST_ARMS) return [forest(groups, getName(kind), reference, judge)]
    return groups.map(({ title, rows }) => forest([{ rows }], `${getName(kind)}, ${title}`, reference, judge))
  })
  return {
    id: `scenario-${scenario.id}`,
    title: scenario.title,
    content: h`<p class="about">${prose(scenario.about)}</p>
      ${failed.length > 0 && h`<div class="note failed"><h3>Failed</h3><ul>${failed.map(text => h`<li>${text}</li>`)}</ul></div>`}
      ${noise && drawTable(noise)}
      ${drawPanels(forests, drawTable(scenarioTable(scenario, { all: true, judge })), facts, noise !== undefined)}`,
  }
}

/** The first chart in sight; the others are many, and folded with the table. */
function drawPanels(charts: readonly Chart[], table: Html, facts: string, isFolded: boolean): Html[] {
  const panels = charts.flatMap(chart => {
    const drawn = drawChart({ ...chart, title: `Ratios: ${chart.title}` })
    return drawn ? [{ title: chart.title, panel: h`<div class="panel">${drawn}</div>` }] : []
  })
  const others = panels.splice(isFolded ? 0 : 1)
  const summary = `All figures${others.map(({ title }) => `; ratios of ${title}`).join('')}`
  return [
    ...panels.map(({ panel }) => panel),
    drawMore(summary, h`<p class="about">${facts}</p>`, ...others.map(({ panel }) => panel), table),
  ]
}

const drawMore = (summary: string, ...content: Html[]): Html =>
  h`<details class="more"><summary>${summary}</summary>${content}</details>`

/** A table that can be scrolled by keyboard if it is wider than the screen. Each number is a `<data>` with its full value. */
function drawTable({ title, head, groups, rows, words = [] }: Table, caption = ''): Html {
  const getKind = (at: number): string => (words.includes(at) ? 'words' : '')
  const drawHead = (text: string, at: number): Html =>
    text === '' ? h`<td></td>` : h`<th scope="col" class="${getKind(at)}">${text}</th>`
  const above = groups?.map(group => h`<th scope="colgroup" colspan="${group.span}">${group.title}</th>`)
  const drawRow = ([name, ...cells]: readonly Cell[]): Html =>
    h`<tr>
      <th scope="row">${name!.text}${name!.ratio && h`<span class="sub">${name!.ratio}</span>`}</th>
      ${cells.map((cell, at) => drawCell(cell, getKind(at + 1)))}</tr> `
  return h`<div class="scroll" role="group" aria-label="${title}" tabindex="0"><table>
    <caption class="${caption}"><span>${title}</span></caption>
    <thead>${above && h`<tr><td></td>${above}${words.map(() => h`<td></td>`)}</tr>`}<tr>${head.map(drawHead)}</tr></thead>
    <tbody>${rows.map(drawRow)}</tbody>
  </table></div>`
}

function drawCell({ text, value, figure, path, ratio, interval, tone }: Cell, kind: string): Html {
  const missing = h`<span aria-hidden="true">–</span><span class="hidden">${kind === 'words' ? 'nothing' : 'not measured'}</span>`
  const shown = tone === 'missing' ? missing : value === undefined ? text : data(value, text)
  const [low, high] = (figure?.interval ?? []).map(bound => data(bound, formatRatio(bound).slice(0, -1)))
  const bounds = low ? h` <span class="interval">${low}–${high}</span>` : interval && ` · ${interval}`
  const sub = ratio && h`<span class="sub">${figure ? data(figure.ratio!, ratio) : ratio}${bounds}</span>`
  return h`<td${path && h` data-figure="${path}"`} class="${[kind, tone].filter(Boolean).join(' ')}">${shown}${sub}</td>`
}
