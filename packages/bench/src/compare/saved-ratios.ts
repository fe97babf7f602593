// A file as the base: the ratios of an earlier run against those of a run now. It says less than an interleaved comparison,
// and nothing if the ratios hold for another machine, Node or reference: then it is refused.
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { probit } from 'simple-statistics'
import * as v from 'valibot'
import type { CompareOptions } from '../command/options.js'
import { judgeNoise, scenarioReport } from '../report/build.js'
import { BASELINE_VERSION, baselineOf, fingerprintOf } from '../report/files.js'
import type { Baseline, BaselineRatio, Fingerprint } from '../report/files.js'
import { everyFigure, SCHEMA_VERSION, type Report, type ScenarioReport } from '../report/report.js'
import { launchFresh } from '../run/fresh-process.js'
import type { Machine } from '../run/machine.js'
import type { Scenario } from '../scenario.js'
import { NOISE } from '../scenarios/noise.js'
import { loadScenarios, parseFilter, select } from '../scenarios/select.js'
import { UsageError } from '../shared/text.js'
import { isJudged, type Measure } from './interleaved.js'
import { getConfidence, getOutcome, type Judged, type Method, type Rule } from './judge.js'

export async function compareWithFile(
  path: string,
  options: CompareOptions,
  machine: Machine,
  measure: Measure,
): Promise<Method> {
  const { additions, filter, plan, tolerance } = options
  const baseline = readBaseline(readFileSync(path, 'utf8'), path)
  const { ours, own } = await loadScenarios(additions)
  const all = [...ours, ...own]
  const isWanted = filter === null ? (): boolean => true : parseFilter(filter)
  /** What the file has ratios of, with the references, and the noise check that every run makes. */
  const choose = (figures: readonly string[]): Scenario[] => {
    const paths = new Set(figures.map(dirname))
    const others = all.filter(({ id }) => id !== NOISE)
    return [...all.filter(({ id }) => id === NOISE), ...select(others, one => paths.has(one) && isWanted(one))]
  }
  const chosen = choose(Object.keys(baseline.ratios))
  if (chosen.length === 1) throw new UsageError(`--base ${path}: none of its ratios can be measured now`)
  const planned = chosen.map(scenario => scenarioReport({ scenario, cells: [] }, plan))
  const differ = getDifferences(baseline.fingerprint, fingerprintOf({ machine, scenarios: planned }))
  if (differ.length > 0) {
    const lines = differ.map(line => `\n  ${line}`).join('')
    throw new UsageError(`--base ${path} is not compared, because its ratios hold for something else:${lines}`)
  }
  const figures = Object.keys(baseline.ratios).filter(figure => chosen.some(({ id }) => figure.startsWith(`${id}/`)))
  const rule: Rule = { tolerance, figures: Math.max(1, figures.length) }
  const method: Method = {
    rule,
    strayed: false,
    measure: async suspects => {
      const outcomes = await measure(suspects ? choose(suspects) : chosen, () => launchFresh(additions))
      const scenarios = outcomes.map(outcome => scenarioReport(outcome, plan))
      if (judgeNoise(scenarios)?.outcome === 'too noisy') method.strayed = true
      return judgeRatios(baseline.ratios, scenarios, rule)
    },
    notes: ['Compared with a file, which is for trends. An interleaved comparison with a git ref says more.'],
  }
  return method
}

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0))

const BASELINE = v.looseObject({
  fingerprint: v.looseObject({
    machine: v.string(),
    cores: positive,
    nodeMajor: positive,
    references: v.record(v.string(), v.string()),
  }),
  ratios: v.record(
    v.string(),
    v.looseObject({
      ratio: positive,
      interval: v.pipe(
        v.strictTuple([positive, positive]),
        v.check(([low, high]) => low <= high, 'ends before it begins'),
      ),
    }),
  ),
})

/**
 * @param text - of report.json or baseline.json
 * @throws {UsageError} if it is neither, of another version, or broken: programs and people write such files, too
 */
export function readBaseline(text: string, path: string): Baseline {
  const refuse = (what: string): never => {
    throw new UsageError(`--base ${path}: ${what}`)
  }
  try {
    const given = JSON.parse(text) as Partial<Baseline & Report> | null
    const version = given?.baselineVersion ?? given?.schemaVersion
    if (version === undefined) refuse('neither report.json nor baseline.json of sallyport-bench')
    if (given?.baselineVersion !== BASELINE_VERSION && given?.schemaVersion !== SCHEMA_VERSION)
      refuse(
        `its version is ${version}; this one reads ${SCHEMA_VERSION} of a report, ${BASELINE_VERSION} of a baseline`,
      )
    if (given?.noise?.outcome === 'too noisy') refuse('that run was too noisy to be compared with')
    const baseline = given?.baselineVersion === undefined ? baselineOf(given as Report) : (given as Baseline)
    const { success, issues } = v.safeParse(BASELINE, baseline)
    if (!success) refuse(`broken at ${v.getDotPath(issues[0])}: ${issues[0].message}`)
    return baseline
  } catch (error) {
    if (error instanceof UsageError) throw error
    return refuse(`broken: ${(error as Error).message}`)
  }
}

/** Returns what differs, in words; nothing if the ratios can be compared. */
export function getDifferences(base: Fingerprint, head: Fingerprint): string[] {
  const references = Object.keys(head.references).filter(id => base.references[id] !== undefined)
  const pairs: [what: string, base: unknown, head: unknown][] = [
    ['the machine', base.machine, head.machine],
    ['its cores', base.cores, head.cores],
    ['Node', base.nodeMajor, head.nodeMajor],
    ...references.map((id): [string, unknown, unknown] => [
      `the reference of ${id}`,
      base.references[id],
      head.references[id],
    ]),
  ]
  return pairs
    .filter(([, one, other]) => one !== other)
    .map(([what, one, other]) => `${what}: ${String(one)} there, ${String(other)} here`)
}

/** Judges every ratio that both have. */
export const judgeRatios = (base: Baseline['ratios'], scenarios: readonly ScenarioReport[], rule: Rule): Judged[] =>
  everyFigure({ scenarios: scenarios.filter(({ id }) => id !== NOISE) }).flatMap(({ path, figure }): Judged[] => {
    const { id, title, unit, better, ratio, interval } = figure
    const before = base[path]
    if (!before || ratio === null || !interval || !isJudged(figure)) return []
    const log = Math.log(ratio / before.ratio) * (better === 'lower' ? 1 : -1)
    // The two runs know nothing of each other, so their errors add up as squares, on the scale of logarithms.
    const reach = probit(getConfidence(rule)) * Math.hypot(getError(before), getError({ interval }))
    const slower = { factor: Math.exp(log), bounds: [Math.exp(log - reach), Math.exp(log + reach)] as [number, number] }
    return [
      { figure: path, kind: { id, title, unit, better }, slower, drift: null, outcome: getOutcome(slower, null, rule) },
    ]
  })

/** The standard error of the logarithm: an interval of 95 % is 3.92 of them wide. */
const getError = ({ interval: [low, high] }: Pick<BaselineRatio, 'interval'>): number => Math.log(high / low) / 3.92
