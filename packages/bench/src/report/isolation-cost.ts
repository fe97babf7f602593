// Where the time of the isolation pattern goes. Each step is the difference between two arms that differ in one thing, so
// the steps add up to the whole; docs/benchmarking.md says what each difference holds, and what can't be told apart.
import { middleMean } from '../statistics/median.js'
import { findFigure, type CostStep, type Figure, type Report } from './report.js'

type Cost = Pick<CostStep, 'alone' | 'pipelined'>

/** The arms that lead from one pattern to the other, one change at a time. */
const PATH = {
  brownfield: 'ring-json',
  pass: 'pass-ring-json',
  hook: 'hook-ring-json',
  isolation: 'isolation-ring-json',
} as const

/** @returns nothing at all unless each of the four arms was measured, alone and pipelined */
export function isolationCost(report: Pick<Report, 'scenarios'>): CostStep[] {
  const roundsOf = ({ unit, processes }: Figure): number[] =>
    unit === '/s' ? processes.flat().map(rate => 1e6 / rate) : processes.flat()
  const timeOf = (path: string): number | null => {
    const figure = findFigure(report, path)
    return figure ? middleMean(roundsOf(figure)) : null
  }
  const costOf = (arm: string): Cost => ({
    alone: timeOf(`isolation/1/${arm}/p50`),
    pipelined: timeOf(`isolation/64/${arm}/rate`),
  })
  const [brownfield, pass, hook, isolation] = Object.values(PATH).map(costOf) as [Cost, Cost, Cost, Cost]
  if ([brownfield, pass, hook, isolation].some(({ alone, pipelined }) => alone === null || pipelined === null))
    return []
  const gate = minus(pass, brownfield)
  // With many in flight the threads work at the same time, and what one of them does is no part of a difference in rates.
  const codec: Cost = { alone: timeOf('codec/usual/json/each'), pipelined: null }
  const steps: CostStep[] = [
    { id: 'brownfield', title: 'brownfield', kind: 'whole', derivation: 'measured', ...brownfield },
    {
      id: 'hop-and-codec',
      title: 'through the gate',
      kind: 'step',
      derivation: 'a gate whose hook returns its argument, without the cipher − brownfield',
      ...gate,
    },
    { id: 'codec', title: 'codec', kind: 'part', derivation: 'one message written and read, measured alone', ...codec },
    {
      id: 'hop',
      title: 'hop',
      kind: 'part',
      derivation: 'through the gate − codec',
      ...minus(gate, codec),
    },
    {
      id: 'hook',
      title: 'hook',
      kind: 'step',
      derivation: 'a gate with a checking hook, without the cipher − the gate whose hook returns its argument',
      ...minus(hook, pass),
    },
    {
      id: 'cipher',
      title: 'cipher',
      kind: 'step',
      derivation: 'isolation as it is used − the same without the cipher',
      ...minus(isolation, hook),
    },
    { id: 'isolation', title: 'isolation', kind: 'whole', derivation: 'measured', ...isolation },
  ]
  return steps
    .filter(({ alone, pipelined }) => alone !== null || pipelined !== null)
    .map(step => ({ ...step, alone: rounded(step.alone), pipelined: rounded(step.pipelined) }))
}

const minus = (from: Cost, other: Cost): Cost => ({
  alone: from.alone === null || other.alone === null ? null : from.alone - other.alone,
  pipelined: from.pipelined === null || other.pipelined === null ? null : from.pipelined - other.pipelined,
})

const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value * 1000) / 1000)
