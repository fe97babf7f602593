// What changes with a number (calls in flight, frontends, bytes of a payload): a line for each arm. page/charts.js draws
// them with uPlot from these plain data.
import { formatBytes } from '../format.js'
import type { CaseReport, Figure, ScenarioReport } from '../report.js'

export interface LineChart {
  id: string
  title: string
  label: string
  xTitle: string
  unit: Figure['unit']
  better: Figure['better']
  /** Places from left to right (logarithms, so that equal factors are equal lengths), and what is written below each. */
  x: number[]
  xLabels: string[]
  series: LineSeries[]
}

export interface LineSeries {
  name: string
  /** Has a colour of its own; the others are grey until they are chosen. */
  bold: boolean
  median: (number | null)[]
  /** The lowest and the highest round. */
  low: (number | null)[]
  high: (number | null)[]
}

/** As many as colours that anybody can tell apart. */
const MOST_BOLD = 7
const FEWEST_CASES = 3

/** A chart for each figure that all cases of the scenario have; none where cases are no numbers. */
export function lineCharts(scenario: ScenarioReport): LineChart[] {
  const axis = axisOf(scenario.cases)
  if (!axis) return []
  const order = axis.cases.map(({ value }) => value)
  const x = placesOf(order)
  const cases = axis.cases.map(({ inCase }) => inCase)
  return figureIds(cases).map(id => {
    const figures = cases.map(inCase =>
      inCase.results.map(({ arm, figures: of }) => ({ arm, figure: of.find(one => one.id === id) })),
    )
    const [kind] = figures.flat().flatMap(({ figure }) => figure ?? [])
    const bold = boldArms(scenario)
    const series = scenario.arms.map(({ id: arm, title: name }): LineSeries => {
      const own = figures.map(of => of.find(one => one.arm === arm)?.figure)
      const pick = (part: 'median' | 'low' | 'high'): (number | null)[] => own.map(figure => figure?.[part] || null)
      return { name, bold: bold.has(arm), median: pick('median'), low: pick('low'), high: pick('high') }
    })
    const known = series.filter(({ median }) => median.some(value => value !== null))
    return {
      id: `${scenario.id}-${id}`,
      title: `${titleOf(kind!)}, ${axis.span}`,
      label: `Line chart, ${scenario.title}: ${titleOf(kind!)} ${axis.span}, ${known.length} arms. The table below has all values.`,
      xTitle: axis.title,
      unit: kind!.unit,
      better: kind!.better,
      x,
      xLabels: axis.cases.map(({ label }) => label),
      series: known,
    }
  })
}

/** Titles of a rate name its case, and a chart has all of them. */
const titleOf = ({ id, title, unit }: Figure): string => {
  const words = unit === '/s' ? 'rate' : title || id
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}

interface Axis {
  title: string
  /** From the first to the last case: `1 to 512 in flight`. */
  span: string
  cases: { inCase: CaseReport; value: number; label: string }[]
}

/** Numbers in the ids of the cases, or sizes of their payloads, if each is another. */
function axisOf(given: readonly CaseReport[]): Axis | undefined {
  if (given.length < FEWEST_CASES) return undefined
  const byId = given.map(inCase => ({ inCase, value: Number(inCase.id), label: inCase.id }))
  const bySize = given.map(inCase => ({ inCase, value: inCase.payloadBytes, label: sizeOf(inCase.payloadBytes) }))
  const named = differ(byId)
  if (!named && !(differ(bySize) && given.every(({ id, title }) => SIZE.test(title) || SIZE.test(id)))) return undefined
  const cases = (named ? byId : bySize).sort((one, other) => one.value - other.value)
  const unit = given
    .at(-1)!
    .title.replace(/^[\d\s.,kM]+/, '')
    .trim()
  const title = named ? unit || 'case' : 'size of the payload'
  return { title, span: `${cases[0]!.label} to ${cases.at(-1)!.label}${named ? ` ${unit}` : ''}`.trim(), cases }
}

/** A case that is called by its size: `64 KiB`, `64-kib`. */
const SIZE = /\d[\s-]?([km]i)?b\b/i

const sizeOf = (bytes: number): string => formatBytes(bytes).replace(/\.0+(?= )/, '')

const differ = (of: Axis['cases']): boolean =>
  of.every(({ value }) => value >= 0) && new Set(of.map(({ value }) => value)).size === of.length

/** Nothing has no logarithm: it stands one step left of the least. */
function placesOf(values: readonly number[]): number[] {
  const [least = 1] = values.filter(value => value > 0)
  return values.map(value => Math.log2(value > 0 ? value : least / 4))
}

const figureIds = (cases: readonly CaseReport[]): string[] => {
  const inEach = cases.map(({ results }) => new Set(results.flatMap(({ figures }) => figures.map(({ id }) => id))))
  return [...inEach[0]!].filter(id => inEach.every(ids => ids.has(id)))
}

/** The reference, then what authorizes its calls (the bus itself), then the others in their order. */
function boldArms({ arms, reference }: ScenarioReport): Set<string> {
  const rank = ({ id, checks }: ScenarioReport['arms'][number]): number =>
    id === reference ? 0 : (checks?.length ?? 0) > 0 ? 1 : 2
  const ranked = arms.toSorted((one, other) => rank(one) - rank(other))
  return new Set(ranked.slice(0, MOST_BOLD).map(({ id }) => id))
}
