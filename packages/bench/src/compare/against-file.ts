// The ratios of a run now, against those of an earlier one.
import { loadScenarios } from '../command/additions.js'
import { launchFresh } from '../run/fresh-process.js'
import { readPackageInfo } from '../run/machine.js'
import { baselineOf, fingerprintOf } from '../report/baseline.js'
import { buildReport, scenarioReport } from '../report/build.js'
import { everyFigure, type Report } from '../report/report.js'
import type { FigureKind, Scenario } from '../model/scenario.js'
import { NOISE } from '../model/scenario.js'
import { UsageError } from '../command/usage.js'
import { chooseForFile } from './choose.js'
import { differences, judgeRatios } from './file-base.js'
import type { Judged } from './judge.js'
import type { Found, Run } from './main.js'
import { judgeSuspectsAgain, measureAll } from './measure.js'
import { isJudged } from './sides.js'

export async function compareWithFile(context: Run<'file'>): Promise<Found> {
  const { base, options, machine } = context
  const { baseline } = base
  const chosen = chooseForFile(await loadScenarios(options.additions), options.filter, Object.keys(baseline.ratios))
  const planned = chosen.map(scenario => scenarioReport({ scenario, cells: [] }, options.plan))
  const differ = differences(baseline.fingerprint, fingerprintOf({ machine, scenarios: planned }))
  if (differ.length > 0) {
    const what = differ.map(line => `  ${line}`).join('\n')
    throw new UsageError(`--base ${base.name} is not compared, because its ratios hold for something else:\n${what}`)
  }

  const report = await measure(context, chosen)
  const figures = Math.max(1, judgeReport(report, 1).length)
  const first = judgeReport(report, figures)
  const reports = [report]
  const repeat = await judgeSuspectsAgain(context, first, async suspects => {
    const again = await measure(context, chooseForFile({ ours: chosen, own: [] }, null, suspects))
    reports.push(again)
    return judgeReport(again, figures)
  })
  return {
    rule: { tolerance: options.tolerance, figures },
    first,
    repeat,
    strayed: reports.some(({ noise }) => noise?.outcome === 'too noisy'),
    notes: ['Compared with a file, which is for trends. To compare with a git ref, in turns, says more.'],
  }

  function judgeReport(of: Report, count: number): Judged[] {
    const found = everyFigure(of).filter(({ path, figure }) => isJudged(figure) && !path.startsWith(`${NOISE}/`))
    const kinds = new Map(found.map(({ path, figure }): [string, FigureKind] => [path, figure]))
    return judgeRatios(baseline, baselineOf(of), kinds, { tolerance: options.tolerance, figures: count })
  }
}

async function measure(context: Run<'file'>, chosen: readonly Scenario[]): Promise<Report> {
  const { plan, filter, additions } = context.options
  const [startedAt, start] = [new Date(), performance.now()]
  const outcomes = await measureAll(context, chosen, () => launchFresh(additions))
  const seconds = (performance.now() - start) / 1000
  return buildReport(outcomes, { tool: readPackageInfo(), plan, filter, startedAt, seconds, machine: context.machine })
}
