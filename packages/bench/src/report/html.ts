// The report as one HTML file that needs nothing else: no server, no network and no script.
import { describeMachine } from '#measure/machine'
import { OUTCOMES } from '#measure/screen'
import { count } from '#measure/text'
import { readFileSync } from 'node:fs'
import { h, Html, keepUnits } from '../shared/text.js'
import { type Cell, getAnswers, getTables, type Table } from './answers.js'
import { getFailures, type Report, type ScenarioReport } from './report.js'
import { describeRun, getNotes, getVerdict } from './noise.js'

export function toHtml(report: Report): string {
  const { tool, plan, startedAt } = report
  const css = readFileSync(new URL('../../page/report.css', import.meta.url), 'utf8')
  const tables = getTables(report)
  return h`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
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
          <nav aria-label="Contents">
            <ol>${tables.map(({ scenario, table }) => h`<li><a href="#scenario-${scenario.id}">${table.title}</a></li>`)}</ol>
          </nav>
          <main id="main" tabindex="-1">
            ${tables.map(({ scenario, table }) => drawSection(scenario, table, plan.processes))}
          </main>
        </div>
        <footer>
          ${tool.name} ${tool.version} · medians, and below each its ratio to the reference with its 95 % interval, from six rounds on ·
          all rounds are in report.json
        </footer>
      </body>
    </html>`.text
}

function drawHeader(report: Report): Html {
  const { outcome, line } = getVerdict(report)
  return h`<header>
    <h1>Sallyport benchmark</h1>
    <p class="verdict ${outcome.replace(' ', '-')}"><span aria-hidden="true">${OUTCOMES[outcome].sign}</span> ${keepUnits(line)}</p>
    <div class="answers">${getAnswers(report).map(drawAnswer)}</div>
    <p class="machine">${describeMachine(report.machine)}<br>${describeRun(report)}
      ${report.filter !== null && h`· measured in part: <code>--filter ${report.filter}</code>`}</p>
    <ul class="notes">
      ${[...getNotes(report), ...getFailures(report).map(text => `Failed: ${text}`)].map(text => h`<li>${text}</li>`)}
    </ul>
  </header>`
}

/** Options stand between backticks. */
const toCode = (text: string): Html[] =>
  text.split('`').map((part, at) => (at % 2 === 0 ? h`${part}` : h`<code>${part}</code>`))

function drawAnswer(table: Table): Html {
  const { title, sentence, about } = table
  const width = table.columns.length - (table.names ?? 1) > 3 && 'wide'
  return h`<section class="answer ${width}"><h2>${title}</h2>${sentence !== undefined && h`<p>${toCode(keepUnits(sentence))}</p>`}
    ${toHtmlTable(table)}<p class="about">${about}.</p></section> `
}

function drawSection(scenario: ScenarioReport, table: Table, processes: number): Html {
  const { id, arms, cases } = scenario
  const reference = arms.find(arm => arm.id === scenario.reference)?.title
  const payloads = [...new Set(cases.map(({ payload }) => payload))].join(' · ')
  const rounds = `${count(scenario.rounds, 'round')} in ${processes === 1 ? 'one process' : `${processes} processes`}`
  return h`<section id="scenario-${id}"><h2>${table.title}</h2> <p class="about">${table.about}</p>
    <p class="about">Reference: ${reference}. ${rounds}. Payload: ${payloads}.</p>${toHtmlTable(table)}</section>`
}

function toHtmlTable({ title, columns, rows, names = 1 }: Table): Html {
  const getClass = (at: number): string => (at < names ? 'name' : '')
  const drawHead = (column: string, at: number): Html =>
    column === '' ? h`<td></td>` : h`<th scope="col" class="${getClass(at)}">${column}</th>`
  const drawRow = ([name, ...cells]: readonly Cell[]): Html =>
    h`<tr>
      <th scope="row">${name!.text}</th>
      ${cells.map((cell, at) => drawCell(cell, getClass(at + 1)))}</tr> `
  return h`<div class="scroll" role="group" aria-label="${title}" tabindex="0"><table>
    <caption class="hidden">${title}</caption>
    <thead><tr>${columns.map(drawHead)}</tr></thead>
    <tbody>${rows.map(drawRow)}</tbody>
  </table></div>`
}

function drawCell({ text, note, interval, tone }: Cell, name: string): Html {
  const missing = h`<span aria-hidden="true">–</span><span class="hidden">not measured</span>`
  const bounds = interval !== undefined && h` <span class="interval">${interval.replace('×', '')}</span>`
  const sub = note !== undefined && h`<span class="sub"><span>${keepUnits(note)}</span>${bounds}</span>`
  return h`<td class="${tone ?? name}">${tone === 'missing' ? missing : keepUnits(text)}${sub}</td>`
}
