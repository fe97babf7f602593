// The result of one or more runs in a sentence or two: what a call costs.
import { formatInterval, formatRange } from '../shared/text.js'
import { findFigure, type Figure, type Report } from './report.js'

type Runs = readonly Pick<Report, 'scenarios'>[]
type Range = [low: number, high: number]

/**
 * Calls in flight together keep threads awake, so that the ratio to a raw MessagePort is alike in all runs. The first of these cases that was
 * measured counts: another one could contradict its table.
 */
const RATES = ['shapes/64', 'throughput/64', 'isolation/64']

/** One call at a time, back to back and after a silence. A scenario alone can find threads awake or asleep. */
const TIMES = ['shapes/steady', 'shapes/burst', 'latency/1', 'isolation/1']

const ARMS: [arm: string, text: string][] = [
  ['ring-json', 'over a ring'],
  ['port-json', 'over a port'],
  ['isolation-ring-json', 'isolated'],
]

const findFigures = (runs: Runs, paths: readonly string[]): Figure[] =>
  runs.flatMap(run => paths.flatMap(path => findFigure(run, path) ?? []))

const getRange = (ranges: readonly Range[]): Range | undefined =>
  ranges.length > 0 ? [Math.min(...ranges.flat()), Math.max(...ranges.flat())] : undefined

/** Returns the interval of the ratios in all runs; `undefined` if one of the figures or of its references is bimodal. */
function getRatio(runs: Runs, inCase: string, arm: string): Range | undefined {
  const figures = findFigures(runs, [`${inCase}/${arm}/rate`])
  const isBimodal = [...figures, ...findFigures(runs, [`${inCase}/raw/rate`])].some(({ bimodal }) => bimodal)
  return isBimodal
    ? undefined
    : getRange(figures.flatMap(({ ratio, interval }) => (ratio === null ? [] : [interval ?? [ratio, ratio]])))
}

/** Returns one or two sentences; `undefined` if no run measured a call over the bus. */
export function getCallCost(runs: Runs): string | undefined {
  const describeRates = (inCase: string): string | undefined => {
    const parts = ARMS.filter(([arm]) => arm !== 'port-json').flatMap(([arm, text]) => {
      const ratio = getRatio(runs, inCase, arm)
      return ratio ? [[formatInterval(ratio), text] as const] : []
    })
    const said = parts.map(([ratio, text], at) => `${ratio} ${at === 0 ? 'the rate of a raw MessagePort ' : ''}${text}`)
    return said.length > 0 ? `64 calls in flight: ${said.join(', ')}.` : undefined
  }
  const getTime = (arm: string): string | undefined => {
    const figures = findFigures(runs, TIMES.map(inCase => `${inCase}/${arm}/p50`)) // prettier-ignore
    const range = getRange(figures.map(figure => figure.range ?? [figure.median, figure.median]))
    return range && formatRange(range, 'µs')
  }
  const times = ARMS.flatMap(([arm, text]) => {
    const time = getTime(arm)
    return time === undefined ? [] : [`${time} ${text}`]
  })
  const raw = getTime('raw')
  const reference = raw === undefined ? '' : ` (raw MessagePort: ${raw})`
  const alone =
    times.length > 0 && `One call at a time: ${times.join(', ')}${reference}, as the threads are awake or asleep.`
  const rates = RATES.find(inCase => ARMS.some(([arm]) => findFigures(runs, [`${inCase}/${arm}/rate`]).length > 0))
  return [rates && describeRates(rates), alone].filter(Boolean).join(' ') || undefined
}
