// A file as the base: the ratios of an earlier run against those of a run now. It says less than an interleaved comparison,
// and nothing if the ratios hold for another machine, Node or reference: then it is refused.
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { probit } from 'simple-statistics'
import * as v from 'valibot'
import type { CompareOptions } from '../command/options.js'
import { judgeNoise, scenarioReport } from '../report/build.js'
import { BASELINE_VERSION, createBaseline, getFingerprint, type Baseline, type Fingerprint } from '../report/files.js'
import { everyFigure, SCHEMA_VERSION, type Report, type ScenarioReport } from '../report/report.js'
import { launchFresh } from '../run/fresh-process.js'
import type { Machine } from '../run/machine.js'
import { NOISE, type Scenario } from '../model/scenario.js'
import { loadScenarios, parseFilter, select } from '../scenarios/select.js'
import { UsageError } from '../shared/text.js'
import { isJudged, type Measure } from './interleaved.js'
import { getConfidence, getOutcome, type Judged, type Method, type Rule } from './judge.js'

export async function compareWithFile(
  path: string,
  { additions, filter, plan, tolerance }: CompareOptions,
  machine: Machine,
  measure: Measure,
): Promise<Method> {
  const { ratios, fingerprint } = readBaseline(readFileSync(path, 'utf8'), path)
  const { ours, custom } = await loadScenarios(additions)
  const isWanted = filter === null ? (): boolean => true : parseFilter(filter)
  /** Chooses the figures that the file has ratios of, with their references, and the noise check that every run makes. */
  const choose = (figures: readonly string[]): Scenario[] => {
    const paths = new Set(figures.map(dirname))
    return select([...ours, ...custom], path => path.startsWith(`${NOISE}/`) || (paths.has(path) && isWanted(path)))
  }
  const chosen = choose(Object.keys(ratios))
  if (chosen.length === 1) throw new UsageError(`--base ${path}: none of its ratios can be measured now`)
  const planned = chosen.map(scenario => scenarioReport({ scenario, cells: [] }, plan))
  const differ = getDifferences(fingerprint, getFingerprint({ machine, scenarios: planned }))
  if (differ.length > 0) {
    const lines = differ.map(line => `\n  ${line}`).join('')
    throw new UsageError(`--base ${path} is not compared, because its ratios hold for something else:${lines}`)
  }
  const figures = Object.keys(ratios).filter(figure => chosen.some(({ id }) => figure.startsWith(`${id}/`)))
  const method: Method = {
    rule: { tolerance, figures: figures.length },
    strayed: false,
    measure: async suspects => {
      const outcomes = await measure(suspects ? choose(suspects) : chosen, () => launchFresh(additions))
      const scenarios = outcomes.map(outcome => scenarioReport(outcome, plan))
      if (judgeNoise(scenarios)?.outcome === 'too noisy') method.strayed = true
      return judgeRatios(ratios, scenarios, method.rule)
    },
    notes: ['Compared with a file, which is for trends. An interleaved comparison with a git ref says more.'],
  }
  return method
}

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0))
const isOrdered = v.check<[number, number], string>(([low, high]) => low <= high, 'ends before it begins')
const interval = v.pipe(v.strictTuple([positive, positive]), isOrdered)
const references = v.record(v.string(), v.string())
const BASELINE = v.looseObject({
  fingerprint: v.looseObject({ machine: v.string(), cores: positive, nodeMajor: positive, references }),
  ratios: v.record(v.string(), v.looseObject({ ratio: positive, interval })),
})

/**
 * @param text - the content of report.json or baseline.json
 * @throws {UsageError} if it is neither, of another version, or broken: programs and people write such files, too
 */
export function readBaseline(text: string, path: string): Baseline {
  const refuse = (what: string): never => {
    throw new UsageError(`--base ${path}: ${what}`)
  }
  try {
    const content = JSON.parse(text) as Partial<Baseline & Report> | null
    const { baselineVersion, schemaVersion, noise } = content ?? {}
    const version = baselineVersion ?? schemaVersion
    if (version === undefined) refuse('neither report.json nor baseline.json of sallyport-bench')
    if (baselineVersion !== BASELINE_VERSION && schemaVersion !== SCHEMA_VERSION)
      refuse(
        `its version is ${version}; this one reads ${SCHEMA_VERSION} of a report, ${BASELINE_VERSION} of a baseline`,
      )
    if (noise?.outcome === 'too noisy') refuse('that run was too noisy to be compared with')
    const baseline = baselineVersion === undefined ? createBaseline(content as Report) : (content as Baseline)
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
  const flatten = ({ machine, cores, nodeMajor, references: all }: Fingerprint): Map<string, unknown> =>
    new Map<string, unknown>([
      ['the machine', machine],
      ['its cores', cores],
      ['Node', nodeMajor],
      ...Object.entries(all).map(([id, reference]) => [`the reference of ${id}`, reference] as const),
    ])
  const [before, now] = [flatten(base), flatten(head)]
  const differ = [...now].filter(([what, value]) => before.has(what) && before.get(what) !== value)
  return differ.map(([what, value]) => `${what}: ${String(before.get(what))} there, ${String(value)} here`)
}

/** Judges every ratio that both have. */
export const judgeRatios = (base: Baseline['ratios'], scenarios: readonly ScenarioReport[], rule: Rule): Judged[] =>
  everyFigure({ scenarios: scenarios.filter(({ id }) => id !== NOISE) }).flatMap(({ path, figure }): Judged[] => {
    const { id, title, unit, better, ratio, interval: now } = figure
    const before = base[path]
    if (!before || ratio === null || !now || !isJudged(figure)) return []
    const log = Math.log(ratio / before.ratio) * (better === 'lower' ? 1 : -1)
    // The two runs know nothing of each other, so their errors add up as squares, on the scale of logarithms.
    const reach = probit(getConfidence(rule)) * Math.hypot(getError(before.interval), getError(now))
    const slower = { factor: Math.exp(log), bounds: [Math.exp(log - reach), Math.exp(log + reach)] as [number, number] }
    const outcome = getOutcome(slower, null, rule)
    return [{ figure: path, kind: { id, title, unit, better }, slower, drift: null, outcome }]
  })

/** The standard error of the logarithm: an interval of 95 % is 3.92 of them wide. */
const getError = ([low, high]: readonly [number, number]): number => Math.log(high / low) / 3.92
