// The report as one HTML file that needs nothing else: no server, no network, and for all but the line charts no script.
import { digestFigures, digestTable } from '../digest.js'
import { goalsTable } from '../goals.js'
import { describe, describeRun, notes } from '../notes.js'
import { duration } from '../format.js'
import type { CostStep, Report } from '../report.js'
import { carriedTable, failures, type Table } from '../table.js'
import { verdictOf } from '../verdict.js'
import { hashOf, readAssets } from './assets.js'
import { forest, noiseForest } from './forest.js'
import { goalsChart } from './goals-chart.js'
import { Html, markup, jsonText } from './markup.js'
import { drawRowChart, type RowChart } from './row-chart.js'
import { scenarioSection, type Section } from './section.js'
import { plainTable } from './tables.js'
import { waterfall } from './waterfall.js'

export function toHtml(report: Report): string {
  const sections = sectionsOf(report)
  const lines = sections.flatMap(section => section.lines)
  const { css, scripts } = readAssets(lines.length > 0)
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ${scripts.map(hashOf).join(' ')}`
  const { text } = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Sallyport benchmark, ${report.startedAt.slice(0, 10)}</title>
        <link rel="icon" href="data:," />
        <style>
          ${new Html(css)}
        </style>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the figures</a>
        ${header(report)}
        <div class="frame">
          ${contents(sections)}
          <main id="main" tabindex="-1">
            ${sections.map(
              ({ id, title, content }) =>
                markup`<section id="${id}">
                  <h2>${title}</h2>
                  ${content}
                </section>`,
            )}
          </main>
        </div>
        <footer>
          ${report.tool.name} ${report.tool.version} · medians of ${report.plan.processes} × ${report.plan.rounds}
          rounds · every round is in report.json, how to read them in docs/benchmarking.md
        </footer>
        <script type="application/json" id="charts">
          ${jsonText(lines)}
        </script>
        ${scripts.map(scriptElement)}
      </body>
    </html> `
  return text
}

/** As it is, to the last space: its hash was taken. */
const scriptElement = (script: string): Html => new Html(`<script>${script}</script>\n`)

const SIGNS = { 'too noisy': '≈', failed: '✕', missed: '!', fine: '✓' } as const

function header(report: Report): Html {
  const { outcome, line } = verdictOf(report)
  const failed = failures(report)
  return markup`<header>
    <div class="top">
      <h1>Sallyport benchmark</h1>
      <fieldset class="themes" hidden>
        <legend class="hidden">Colours</legend>
        ${['Auto', 'Light', 'Dark'].map(name => markup`<label><input type="radio" name="theme" value="${name.toLowerCase()}" ${name === 'Auto' && new Html(' checked')} /><span>${name}</span></label>`)}
      </fieldset>
    </div>
    <p class="verdict ${outcome.replace(' ', '-')}"><span aria-hidden="true">${SIGNS[outcome]}</span> ${line}</p>
    <p class="machine">
      ${describe(report.machine)}<br />${describeRun(report)}${report.filter !== null && markup` · measured in part: <code>--filter ${report.filter}</code>`}
    </p>
    <ul class="notes">
      ${[...notes(report), ...failed.slice(0, 5).map(text => `Failed: ${text}`)].map(text => markup`<li>${text}</li>`)}
    </ul>
  </header>`
}

const contents = (sections: readonly Section[]): Html =>
  markup`<nav aria-label="Contents">
    <details open>
      <summary>Contents</summary>
      <ol>
        ${sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`)}
      </ol>
    </details>
  </nav>`

function sectionsOf(report: Report): Section[] {
  const judge = report.noise?.outcome !== 'too noisy'
  const summaries = [
    tableSection('in-short', digestTable(report), digestCharts(report, judge)),
    tableSection('the-goals', goalsTable(report), [goalsChart(report.goals, judge)]),
    tableSection('isolation-cost', costTable(report.isolationCost), [
      waterfall(report.isolationCost, 'alone', 'A call alone'),
      waterfall(report.isolationCost, 'pipelined', 'Each of 64 in flight'),
    ]),
  ]
  const trust = [
    tableSection('run-noise', noiseTable(report), [
      noiseForest(report.noise?.checks ?? [], report.noise?.tolerance ?? 1),
    ]),
  ]
  return [
    ...summaries.flat(),
    ...report.scenarios.map(scenario => scenarioSection(scenario, report)),
    ...trust.flat(),
    ...tableSection('carried', carriedTable(report)),
  ]
}

/** What costs time and what is a rate lie on scales of their own, because one gets better to the left. */
function digestCharts(report: Report, judge: boolean): (RowChart | null)[] {
  const groups = digestFigures(report).map(({ title, figures: [, brownfield, isolation] }) => ({
    title,
    rows: [
      { name: 'brownfield', figure: brownfield },
      { name: 'isolation', figure: isolation },
    ].flatMap(({ name, figure }) => (figure ? [{ name, figure }] : [])),
  }))
  return (['lower', 'higher'] as const).map(better => {
    const of = groups.filter(({ rows }) => rows.every(({ figure }) => figure.better === better))
    const title = better === 'lower' ? 'Times' : 'Rates'
    const chart = forest(of, title, 'the reference', judge)
    return chart && { ...chart, title }
  })
}

function tableSection(id: string, table: Table | undefined, charts: readonly (RowChart | null)[] = []): Section[] {
  if (!table) return []
  const drawn = charts.filter(chart => chart !== null).map(drawRowChart)
  const content = markup`<p class="about">${table.about}</p>
    ${drawn.length > 0 && markup`<div class="panel${drawn.length > 1 ? ' pair' : ''}">${drawn}</div>`}${plainTable(table)}`
  return [{ id, title: table.title, content, lines: [] }]
}

function costTable(steps: readonly CostStep[]): Table | undefined {
  if (steps.length === 0) return undefined
  const sign = { whole: '', step: '+ ', part: 'of that: ' } as const
  const time = (us: number | null): string => (us === null ? '–' : duration(us))
  return {
    title: 'What isolation costs',
    about: 'From a call in the brownfield pattern to the same call through the gate, one thing at a time.',
    head: ['', 'a call alone', 'each of 64 in flight', 'derived from'],
    rows: steps.map(({ title, kind, alone, pipelined, derivation }) =>
      [`${sign[kind]}${title}`, time(alone), time(pipelined), derivation].map(text => ({ text })),
    ),
    words: [3],
  }
}

function noiseTable({ noise }: Report): Table | undefined {
  if (!noise) return undefined
  return {
    title: 'Can this run be believed?',
    about: 'Arms that were measured against themselves. Where one differs from itself, nothing is judged.',
    head: ['', 'ratio', 'from', 'to'],
    rows: noise.checks.map(({ figure, ratio, interval }) =>
      [figure, ...[ratio, ...interval].map(value => `${value.toPrecision(4)}×`)].map(text => ({ text })),
    ),
  }
}
