// Compares two report.json files, without measuring: the ratios of one run against those of another. It says less than an
// interleaved comparison, and nothing if the ratios hold for another machine, Node or reference: then it is refused.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { everyFigure, SCHEMA_VERSION, type Figure, type Report } from '../report/report.js'
import { NOISE } from '../model/scenario.js'
import { UsageError } from '../shared/text.js'
import { isJudged, type Method } from './interleaved.js'
import { getOutcome, type Judged, type Rule } from './judge.js'

/** @throws {UsageError} if a file is broken, its run failed the noise check, or the two cannot be compared */
export function compareReports(base: string, head: string, tolerance: number): Method {
  const [before, now] = [readReport(base), readReport(head)]
  const differ = getDifferences(before, now)
  const reason = 'because their ratios differ in what they hold for'
  if (differ.length > 0) throw new UsageError(`${base} and ${head} are not compared, ${reason}:${differ.join('')}`)
  const ratios = readRatios(before)
  const common = [...readRatios(now)].filter(([path]) => ratios.has(path))
  if (common.length === 0) throw new UsageError(`${base} and ${head} have no ratio in common`)
  const rule = { tolerance, figures: common.length }
  const judged = common.map(([path, figure]) => judgeRatio(path, ratios.get(path)!, figure, rule))
  // There is nothing that could be measured once more.
  const notes = ['Two runs, each with its own moments. An interleaved comparison with a git ref says more.']
  return { rule, measure: async () => judged, notes }
}

/** Reads a file, or the one in a directory. @throws {UsageError} for no report, another version, or a run that failed its noise check */
function readReport(path: string): Report {
  const refuse = (what: string, exitCode: 2 | 3 = 2): never => {
    throw Object.assign(new UsageError(`${path}: ${what}`), { exitCode })
  }
  try {
    const file = statSync(path).isDirectory() ? join(path, 'report.json') : path
    const content = JSON.parse(readFileSync(file, 'utf8')) as Partial<Report> | null
    const { schemaVersion, noise, machine, scenarios } = content ?? {}
    if (schemaVersion === undefined) refuse('not a report.json of sallyport-bench')
    if (schemaVersion !== SCHEMA_VERSION) refuse(`its version is ${schemaVersion}; this one reads ${SCHEMA_VERSION}`)
    if (noise?.outcome === 'too noisy') refuse('that run failed its noise check. Measure again on a quiet machine.', 3)
    if (!machine || !Array.isArray(scenarios)) refuse('broken: it has no machine or no scenarios')
    readRatios(content as Report)
    return content as Report
  } catch (error) {
    if (error instanceof UsageError) throw error
    return refuse(`broken: ${(error as Error).message}`)
  }
}

type Ratio = Figure & { ratio: number; interval: [low: number, high: number] }

/** The ratios that can be judged, by the paths of their figures. */
function readRatios({ scenarios }: Pick<Report, 'scenarios'>): Map<string, Ratio> {
  const measured = everyFigure({ scenarios: scenarios.filter(({ id }) => id !== NOISE) })
  return new Map(
    measured.flatMap(({ path, figure }) => {
      const { ratio, interval } = figure
      if (ratio === null || interval === null || !isJudged(figure)) return []
      const [low, high] = interval
      const isOrdered = [ratio, low, high].every(value => Number.isFinite(value) && value > 0) && low <= high
      if (!isOrdered) throw new Error(`${path} has an invalid ratio`)
      return [[path, { ...figure, ratio, interval }] as const]
    }),
  )
}

/** Returns what differs, in words; nothing if the ratios can be compared. */
function getDifferences(base: Report, head: Report): string[] {
  const describe = ({ machine, scenarios }: Report): Map<string, string | number> =>
    new Map<string, string | number>([
      ['the machine', `${machine.platform} ${machine.arch} ${machine.cpu}`],
      ['its cores', machine.cores],
      ['Node', Number.parseInt(machine.node.slice(1))],
      ...scenarios.map(({ id, reference, arms }) => {
        const title = arms.find(arm => arm.id === reference)?.title ?? reference
        return [`the reference of ${id}`, title] as const
      }),
    ])
  const [before, now] = [describe(base), describe(head)]
  const differ = [...now].filter(([what, value]) => before.has(what) && before.get(what) !== value)
  return differ.map(([what, value]) => `\n  ${what}: ${before.get(what)} and ${value}`)
}

/** The runs know nothing of each other: their errors add up as squares, on the scale of logarithms. */
function judgeRatio(path: string, before: Ratio, now: Ratio, rule: Rule): Judged {
  const { id, title, unit, better } = now
  const [slow, fast] = better === 'lower' ? [now, before] : [before, now]
  const up = ({ ratio, interval }: Ratio): number => Math.log(interval[1] / ratio)
  const down = ({ ratio, interval }: Ratio): number => Math.log(ratio / interval[0])
  const log = Math.log(slow.ratio / fast.ratio)
  const bounds = [log - Math.hypot(down(slow), up(fast)), log + Math.hypot(up(slow), down(fast))] as const
  const slower = { factor: Math.exp(log), bounds: bounds.map(Math.exp) as [number, number] }
  const kind = { id, title, unit, better }
  return { figure: path, kind, slower, drift: null, outcome: getOutcome(slower, null, rule) }
}
