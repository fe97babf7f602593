// A file as the base: the ratios of an earlier run, against those of a run now. What such a comparison says is worth less than
// one in turns, and nothing at all where the ratios hold for another machine, Node or reference: then it is refused.
import { probit } from 'simple-statistics'
import {
  BASELINE_VERSION,
  baselineOf,
  type Baseline,
  type BaselineRatio,
  type Fingerprint,
} from '../report/baseline.js'
import { SCHEMA_VERSION, type Report } from '../report/report.js'
import { UsageError } from '../command/usage.js'
import { confidenceOf, outcomeOf, type Change, type Judged, type Rule } from './judge.js'
import type { FigureKind } from '../model/scenario.js'

/**
 * @param text of report.json or baseline.json
 * @throws UsageError where it is neither, or of another version
 */
export function readBaseline(text: string, path: string): Baseline {
  const wrong = (what: string): UsageError => new UsageError(`--base ${path}: ${what}`)
  let given: Partial<Baseline & Report> | null
  try {
    given = JSON.parse(text) as Partial<Baseline & Report> | null
  } catch (error) {
    throw wrong((error as Error).message)
  }
  if (given?.baselineVersion === BASELINE_VERSION && given.ratios && given.fingerprint) {
    if (!isSound(given as Baseline)) throw wrong('it is broken: something in it is no ratio, or no fingerprint')
    return given as Baseline
  }
  if (given?.schemaVersion === SCHEMA_VERSION && given.scenarios && given.machine) {
    const report = given as Report
    if (report.noise?.outcome === 'too noisy') throw wrong('that run was too noisy to be compared with')
    const baseline = ratiosOf(report)
    if (!baseline || !isSound(baseline)) throw wrong('it is broken: not all that a report has is in it')
    return baseline
  }
  const version = given?.baselineVersion ?? given?.schemaVersion
  throw version === undefined
    ? wrong('neither report.json nor baseline.json of sallyport-bench')
    : wrong(
        `its version is ${version}; this one reads ${SCHEMA_VERSION} of a report, ${BASELINE_VERSION} of a baseline`,
      )
}

function ratiosOf(report: Report): Baseline | undefined {
  try {
    return baselineOf(report)
  } catch {
    return undefined
  }
}

const isPositive = (value: unknown): boolean => Number.isFinite(value) && (value as number) > 0

const isRatio = (given: Partial<BaselineRatio> | null): boolean => {
  const [low, high, ...more] = Array.isArray(given?.interval) ? given.interval : []
  return [given?.ratio, low, high].every(isPositive) && low! <= high! && more.length === 0
}

/** Files are written by hand, too, and by other programs. */
const isSound = ({ ratios, fingerprint: { machine, references, cores, nodeMajor } }: Baseline): boolean =>
  typeof machine === 'string' &&
  [cores, nodeMajor].every(isPositive) &&
  typeof references === 'object' &&
  Object.values(references ?? {}).every(one => typeof one === 'string') &&
  Object.values(ratios).every(isRatio)

/** @returns what differs, in words; empty where the ratios can be compared */
export function differences(base: Fingerprint, head: Fingerprint): string[] {
  const pairs: [what: string, base: string | number, head: string | number][] = [
    ['the machine', base.machine, head.machine],
    ['its cores', base.cores, head.cores],
    ['Node', base.nodeMajor, head.nodeMajor],
    ...Object.entries(head.references).flatMap(([id, reference]): [string, string, string][] =>
      base.references[id] === undefined ? [] : [[`the reference of ${id}`, base.references[id], reference]],
    ),
  ]
  return pairs
    .filter(([, one, other]) => one !== other)
    .map(([what, one, other]) => `${what}: ${one} there, ${other} here`)
}

/** Every ratio that both have. */
export const judgeRatios = (
  base: Baseline,
  head: Baseline,
  kinds: ReadonlyMap<string, FigureKind>,
  rule: Rule,
): Judged[] =>
  Object.entries(head.ratios).flatMap(([figure, now]): Judged[] => {
    const [before, kind] = [base.ratios[figure], kinds.get(figure)]
    if (!before || !kind) return []
    const slower = changeBetween(before, now, rule)
    return [{ figure, kind, slower, drift: null, outcome: outcomeOf(slower, null, rule) }]
  })

/** The two runs know nothing of each other, so their errors add up as squares, on the scale of logarithms. */
function changeBetween(before: BaselineRatio, now: BaselineRatio, rule: Rule): Change {
  const log = Math.log(now.ratio / before.ratio) * (now.better === 'lower' ? 1 : -1)
  const reach = probit(confidenceOf(rule)) * Math.hypot(errorOf(before), errorOf(now))
  return { factor: Math.exp(log), bounds: [Math.exp(log - reach), Math.exp(log + reach)] }
}

/** The standard error of the logarithm: an interval of 95 % is 3.92 of them wide. */
const errorOf = ({ interval: [low, high] }: BaselineRatio): number => Math.log(high / low) / 3.92
