// Percentiles of a latency, for each arm on one line: how far the slow calls are from the usual ones.
import { duration } from '../format.js'
import type { CaseReport, Figure, ScenarioReport } from '../report.js'
import { markup, type Html } from './markup.js'
import type { ChartRow, Mark, RowChart } from './row-chart.js'
import { logScale } from './scale.js'

const SHAPES = ['dot', 'diamond', 'triangle', 'square'] as const

const isPercentile = ({ id, unit, median }: Figure): boolean => /^p\d+$/.test(id) && unit === 'µs' && median > 0

/** @returns `null` where the case has not two percentiles of a latency */
export function percentiles({ arms, reference }: ScenarioReport, inCase: CaseReport): RowChart | null {
  const rows = inCase.results
    .map(({ arm, figures }) => ({
      isReference: arm === reference,
      name: arms.find(({ id }) => id === arm)?.title ?? arm,
      figures: figures.filter(isPercentile),
    }))
    .filter(({ figures }) => figures.length >= 2)
    .sort((one, other) => one.figures[0]!.median - other.figures[0]!.median)
  if (rows.length === 0) return null
  const figures = rows.flatMap(row => row.figures)
  const scale = logScale(
    figures.flatMap(({ low, median, high }) => [Math.max(low, median / 3), median, Math.min(high, median * 3)]),
  )
  const marksOf = (of: Figure[]): Mark[] => [
    { kind: 'line', from: scale.at(of[0]!.median), to: scale.at(of.at(-1)!.median) },
    ...of.map(({ low, high }, step) => ({ kind: 'range', from: scale.at(low), to: scale.at(high), step }) as const),
    ...of.map(
      ({ median }, step) => ({ kind: 'point', from: scale.at(median), shape: SHAPES[step] ?? 'square', step }) as const,
    ),
  ]
  return {
    label: `Latency percentiles, ${inCase.title}: ${rows.length} arms. The table below has them all.`,
    caption: markup`${keyOf(rows[0]!.figures)}. Pale bar: from the lowest to the highest round.`,
    axis: `time, log scale · further left is better`,
    ticks: scale.ticks.map(value => ({ at: scale.at(value), text: duration(value).replace(/\.0+(?= )/, '') })),
    head: rows[0]!.figures.map(({ title }) => title),
    groups: [
      {
        rows: rows.map(({ name, figures: of, isReference }): ChartRow => ({
          name: isReference ? `${name} (reference)` : name,
          values: of.map(({ median }) => duration(median)),
          tone: isReference ? 'reference' : 'plain',
          marks: marksOf(of),
        })),
      },
    ],
  }
}

const keyOf = (figures: readonly Figure[]): Html[] =>
  figures.map(
    ({ title }, at) => markup`${at > 0 && ', '}<i class="key point ${SHAPES[at] ?? 'square'} step-${at}"></i> ${title}`,
  )
