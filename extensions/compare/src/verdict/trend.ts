// The medians of the head in the last comparisons, as a line of blocks.
import { existsSync } from 'node:fs'
import { formatValue, readJson } from '#measure/text'
import { type Comparison, COMPARISON_VERSION, type Judged } from './judge.js'

const BLOCKS = '▁▂▃▄▅▆▇█'
const MOST = 20
/** A difference that takes all of the height. Of less, the line would show noise alone. */
const LEAST = 1.1

/**
 * @param file - compare.json of the last comparison. If there is none of this version, the trend begins.
 * @throws {UsageError} if the file is no JSON
 */
export function readTrend(file: string | null): Comparison['trend'] {
  if (file === null || !existsSync(file)) return {}
  const { comparisonVersion, trend } = readJson<Comparison>('--history', file)
  return comparisonVersion === COMPARISON_VERSION && trend ? trend : {}
}

export function continueTrend(earlier: Comparison['trend'], now: readonly Judged[]): Comparison['trend'] {
  const continued = now.map(({ figure, medians }): [string, number[]] => {
    const values = [...(Object.hasOwn(earlier, figure) ? earlier[figure]! : []), medians?.head ?? NaN]
    return [figure, values.filter(Number.isFinite).slice(-MOST)]
  })
  return { ...earlier, ...Object.fromEntries(continued) }
}

/** Returns `undefined` of a single value. */
export function drawTrend(values: readonly number[], unit: string): string | undefined {
  if (values.length < 2) return undefined
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const height = Math.max(high, low * LEAST) - low
  const blocks = values.map(value => BLOCKS[Math.round(((value - low) / height) * (BLOCKS.length - 1))])
  return `${blocks.join('')} ${formatValue(low, unit)} … ${formatValue(high, unit)} in ${values.length} runs`
}
