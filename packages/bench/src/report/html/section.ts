// One scenario on the page: its charts, chosen by what its figures are, then its tables. A scenario that nobody here has heard
// of gets a forest plot and tables like any other.
import type { CaseReport, Figure, Report, ScenarioReport } from '../report.js'
import { failuresOf } from '../table.js'
import { forest, type ForestGroup, type ForestRow } from './forest.js'
import { lineCharts, type LineChart } from './lines.js'
import { markup, prose, type Html } from './markup.js'
import { percentiles } from './percentiles.js'
import { drawRowChart } from './row-chart.js'
import { everyFigureTable, figuresTable } from './tables.js'

/** Beyond this many arms each case has a plot of its own, with the best arm first. */
const MANY_ARMS = 8

export interface Section {
  id: string
  title: string
  content: Html
  lines: LineChart[]
}

export function scenarioSection(scenario: ScenarioReport, { plan, noise }: Pick<Report, 'plan' | 'noise'>): Section {
  const lines = lineCharts(scenario)
  const latencies = scenario.cases.flatMap(inCase => {
    const chart = percentiles(scenario, inCase)
    return chart ? [{ title: inCase.title, content: drawRowChart(chart) }] : []
  })
  const forests = forestsOf(scenario, noise?.outcome !== 'too noisy')
  const facts = [
    `reference: ${armTitle(scenario, scenario.reference)}`,
    `${scenario.measuredRounds} rounds in ${plan.processes === 1 ? 'one process' : `${plan.processes} fresh processes`}`,
    `payload: ${[...new Set(scenario.cases.map(({ payload }) => payload))].join(' · ')}`,
  ]
  const failed = failuresOf({ scenarios: [scenario] }).map(({ inCase, arm, error }) => {
    const where = scenario.cases.find(({ id }) => id === inCase)?.title
    return `${[armTitle(scenario, arm), where].filter(Boolean).join(', ')}: ${error}`
  })
  return {
    id: `scenario-${scenario.id}`,
    title: scenario.title,
    lines,
    content: markup`<p class="about">${prose(scenario.about)}</p>
      <p class="facts">${facts.map(fact => markup`<span>${fact}</span> `)}</p>
      ${
        failed.length > 0 &&
        markup`<div class="note failed">
          <h3>Failed</h3>
          <ul>
            ${failed.map(text => markup`<li>${text}</li>`)}
          </ul>
        </div>`
      }
      ${charts(
        'Medians',
        lines.map(({ id, title, label }) => ({ title, content: lineFigure(id, label) })),
      )}
      ${charts('Percentiles', latencies)} ${charts('Ratios', forests)} ${figuresTable(scenario)}
      <details>
        <summary>Every figure, with its rounds and the smallest effect it could have shown</summary>
        ${everyFigureTable(scenario)}
      </details>`,
  }
}

interface Drawn {
  title: string
  content: Html
}

/** The first in sight, the others folded: they are many, and each has a page's width. */
function charts(kind: string, [first, ...others]: readonly Drawn[]): Html | undefined {
  const panel = ({ title, content }: Drawn): Html =>
    markup`<div class="panel">
      <h3>${kind}: ${title}</h3>
      ${content}
    </div>`
  if (!first) return undefined
  return markup`${panel(first)}
    ${
      others.length > 0 &&
      markup`<details class="more">
        <summary>${others.length} more: ${others.map(({ title }) => title).join('; ')}</summary>
        ${others.map(panel)}
      </details>`
    }`
}

const lineFigure = (id: string, label: string): Html =>
  markup`<figure class="chart lines">
    <div class="plot" id="chart-${id}" role="img" aria-label="${label}"></div>
    <div class="legend" role="group" aria-label="Arms to show in colour"></div>
    <figcaption>
      Log scales. Upright bars: from the lowest to the highest round. Choose an arm to bring it out.
    </figcaption>
    <noscript><p>This chart is drawn by a script; the table below has all its values.</p></noscript>
  </figure>`

const armTitle = ({ arms }: ScenarioReport, id: string): string => arms.find(arm => arm.id === id)?.title ?? id

/** A forest plot for each kind of figure, with a group for each case; with many arms, for each case. */
function forestsOf(scenario: ScenarioReport, judge: boolean): Drawn[] {
  const many = scenario.arms.length > MANY_ARMS
  const kinds = new Set(figuresOf(scenario.cases).map(({ id }) => id))
  const plots = [...kinds].flatMap(kind => {
    const groups = scenario.cases
      .map(inCase => groupOf(scenario, inCase, kind, many))
      .filter(({ rows }) => rows.length > 0)
    if (groups.length > 1 && !many) return [{ title: groups[0]!.name, groups }]
    return groups.map(({ name, title, rows }) => ({ title: `${name}, ${title}`, groups: [{ rows }] }))
  })
  return plots.flatMap(({ title, groups }) => {
    const chart = forest(groups, title, armTitle(scenario, scenario.reference), judge)
    return chart ? [{ title, content: drawRowChart(chart) }] : []
  })
}

/** Titles of a rate name its case, and a plot has all of them. */
const nameOf = ({ id, title, unit }: Figure): string => (id === 'rate' || unit === '/s' ? 'rate' : title || id)

const figuresOf = (cases: readonly CaseReport[]): Figure[] =>
  cases.flatMap(({ results }) => results.flatMap(({ figures }) => figures))

interface NamedGroup extends ForestGroup {
  title: string
  /** Of the figure. */
  name: string
}

function groupOf(scenario: ScenarioReport, inCase: CaseReport, id: string, sorted: boolean): NamedGroup {
  const figures = inCase.results.flatMap(({ arm, figures: of }) =>
    of.flatMap(figure => (figure.id === id && figure.interval !== null ? [{ arm, figure }] : [])),
  )
  const [first] = figures
  const sign = first?.figure.better === 'higher' ? -1 : 1
  if (sorted) figures.sort((one, other) => sign * (one.figure.ratio! - other.figure.ratio!))
  const rows = figures.map(({ arm, figure }): ForestRow => ({ name: armTitle(scenario, arm), figure }))
  return { title: inCase.title, name: first ? nameOf(first.figure) : id, rows }
}
