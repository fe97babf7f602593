// Tables of the page. Each number is a <data> with its full value, so that what is read and what the JSON says can be compared.
import { formatBytes, formatEffect, formatFigure, formatRatio } from '../format.js'
import { everyFigure, type ArmReport, type CaseReport, type Figure, type ScenarioReport } from '../report.js'
import { toneOf, type Cell, type Table } from '../table.js'
import { data, markup, type Html } from './markup.js'

/** A table that may be wider than the screen, and can be scrolled by keyboard then. */
const framed = (title: string, table: Html): Html =>
  markup`<div class="scroll" role="group" aria-label="${title}" tabindex="0">${table}</div>`

const MISSING = markup`<td class="missing"><span aria-hidden="true">–</span><span class="hidden">not measured</span></td>`
const MISSING_WORDS = markup`<td class="words missing"><span aria-hidden="true">–</span><span class="hidden">nothing</span></td>`

/** A table as the terminal has it. */
export function plainTable({ title, head, rows, words = [] }: Table): Html {
  const kind = (at: number): string => (words.includes(at) ? 'words' : '')
  const cells = (row: readonly Cell[]): Html[] =>
    row.slice(1).map(({ text, ratio, interval, tone }, at) =>
      tone === 'missing'
        ? words.includes(at + 1)
          ? MISSING_WORDS
          : MISSING
        : markup`<td class="${[kind(at + 1), tone].filter(Boolean).join(' ')}">
              ${text}${
                ratio !== undefined && markup`<span class="sub">${[ratio, interval].filter(Boolean).join(' · ')}</span>`
              }
            </td>`,
    )
  return framed(
    title,
    markup`<table>
      <caption class="hidden">
        ${title}
      </caption>
      <thead>
        <tr>
          ${head.map((text, at) => headCell(text, kind(at)))}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          row =>
            markup`<tr>
              <th scope="row">${row[0]?.text}</th>
              ${cells(row)}
            </tr> `,
        )}
      </tbody>
    </table>`,
  )
}

const headCell = (text: string, kind: string): Html =>
  text === '' ? markup`<td></td>` : markup`<th scope="col" class="${kind}">${text}</th>`

/** Medians with their ratios and intervals: a row for each arm or for each case, as the scenario asks for. */
export function figuresTable(scenario: ScenarioReport): Html {
  const { title, arms, cases, rows } = scenario
  const byArms = rows === 'arms'
  const carried = byArms && arms.some(({ carries, checks }) => carries !== undefined || (checks?.length ?? 0) > 0)
  const sized = cases.some(({ title: of }) => !/\d ([KM]i)?B$/.test(of))
  const columns = byArms
    ? cases.map(inCase => ({ title: inCase.title, figures: kindsOf([inCase]) }))
    : arms.map(arm => ({ title: arm.title, figures: kindsOf(cases) }))
  const cell = (arm: ArmReport, inCase: CaseReport, { id }: Figure): Html => figureCell(scenario, inCase, arm, id)
  const body = byArms
    ? arms.map(arm => [
        markup`<th scope="row">
          ${arm.title}${arm.id === scenario.reference && markup`<span class="sub">reference</span>`}
        </th>`,
        ...cases.flatMap(inCase => kindsOf([inCase]).map(kind => cell(arm, inCase, kind))),
        ...(carried ? carriedCells(arm) : []),
      ])
    : cases.map(inCase => [
        markup`<th scope="row">${inCase.title}${sized && markup`<span class="sub">${formatBytes(inCase.payloadBytes)}</span>`}</th>`,
        ...arms.flatMap(arm => kindsOf(cases).map(kind => cell(arm, inCase, kind))),
      ])
  const [kind] = columns[0]!.figures
  const plain = columns.every(({ figures }) => figures.length === 1 && figures[0]!.title === kind!.title)
  const what = plain ? `${title}, ${kind!.title}: median` : `${title}: medians`
  const caption = `${what}, and below each its ratio to the reference with what it lies between (95 %)`
  return framed(
    caption,
    markup`<table class="figures">
      <caption>
        <span>${caption}</span>
      </caption>
      ${plain ? headRow(columns, carried) : headRows(columns, carried)}
      <tbody>
        ${body.map(
          row =>
            markup`<tr>
              ${row}
            </tr> `,
        )}
      </tbody>
    </table>`,
  )
}

interface Column {
  title: string
  figures: Figure[]
}

const CARRIED_HEAD = ['carries', 'checks']

const headRow = (columns: readonly Column[], carried: boolean): Html =>
  markup`<thead>
    <tr>
      <td></td>
      ${columns.map(({ title }) => markup`<th scope="col">${title}</th>`)}
      ${carried && CARRIED_HEAD.map(title => markup`<th scope="col" class="words">${title}</th>`)}
    </tr>
  </thead>`

const headRows = (columns: readonly Column[], carried: boolean): Html =>
  markup`<thead>
    <tr>
      <td rowspan="2"></td>
      ${columns.map(({ title, figures }) => markup`<th scope="colgroup" colspan="${figures.length}">${title}</th>`)}
      ${carried && CARRIED_HEAD.map(title => markup`<th scope="col" rowspan="2" class="words">${title}</th>`)}
    </tr>
    <tr>
      ${columns.map(({ figures }) => figures.map(figure => markup`<th scope="col">${figure.title}</th>`))}
    </tr>
  </thead>`

const carriedCells = ({ carries, checks = [] }: ArmReport): Html[] =>
  [carries, checks.join(', ')].map(text => (text ? markup`<td class="words">${text}</td>` : MISSING_WORDS))

/** The figures that any arm has in these cases, in their order. */
function kindsOf(cases: readonly CaseReport[]): Figure[] {
  const figures = cases.flatMap(({ results }) => results.flatMap(result => result.figures))
  const ids = [...new Set(figures.map(({ id }) => id))]
  return ids.map(id => figures.find(figure => figure.id === id)!)
}

function figureCell(scenario: ScenarioReport, inCase: CaseReport, arm: ArmReport, id: string): Html {
  const result = inCase.results.find(one => one.arm === arm.id)
  if (result?.error !== undefined) return markup`<td class="failed" title="${result.error}">failed</td>`
  const figure = result?.figures.find(one => one.id === id)
  if (!figure) return MISSING
  const path = [scenario.id, inCase.id, arm.id, id].join('/')
  const isReference = arm.id === scenario.reference
  return markup`<td data-figure="${path}" class="${isReference ? '' : toneOf(figure)}">
    ${data(figure.median, formatFigure(figure))}${
      !isReference && figure.ratio !== null && markup`<span class="sub">${ratioOf(figure)}</span>`
    }
  </td>`
}

const ratioOf = ({ ratio, interval }: Figure): Html =>
  markup`${data(ratio!, formatRatio(ratio!))}${interval && markup` <span class="interval">${interval.map((bound, at) => [at === 1 && '–', data(bound, formatRatio(bound).slice(0, -1))])}</span>`}`

/** Every figure of a scenario with all that is known of it: one a row, as programs and the curious want it. */
export function everyFigureTable(scenario: ScenarioReport): Html {
  const caption = `${scenario.title}: every figure`
  const rows = everyFigure({ scenarios: [scenario] }).map(({ path, figure, inCase, title }) => {
    const { median, low, high, ratio, interval, smallestEffect } = figure
    const measured = [median, low, high].map(value => data(value, formatFigure({ ...figure, median: value })))
    const compared = [ratio, interval?.[0] ?? null, interval?.[1] ?? null].map(
      value => value !== null && data(value, formatRatio(value)),
    )
    const effect = smallestEffect !== null && data(smallestEffect, formatEffect(smallestEffect))
    return markup`<tr data-every="${path}">
      <th scope="row">${title}</th>
      <td class="words">${inCase.title}</td>
      <td class="words">${figure.title}</td>
      ${[...measured, ...compared, effect].map(value => markup`<td>${value}</td>`)}
    </tr> `
  })
  const head = ['median', 'lowest round', 'highest round', 'ratio', 'from', 'to', 'smallest effect']
  return framed(
    caption,
    markup`<table>
      <caption>
        <span>${caption}</span>
      </caption>
      <thead>
        <tr>
          <td></td>
          <th scope="col" class="words">case</th>
          <th scope="col" class="words">figure</th>
          ${head.map(text => markup`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`,
  )
}
