// One run from beginning to end: chooses scenarios, measures and shows each, and writes the reports.
import { describeMachine, readLoad, readMachine } from '@sallyport/compare/internal/machine'
import { createOutput, type Output, showStart, writeReports } from '@sallyport/compare/internal/output'
import { OUTCOMES, TONES, wrap } from '@sallyport/compare/internal/screen'
import { quantile } from '@sallyport/compare/internal/statistics'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { getAnswers, getTables } from '../report/answers.js'
import { buildReport, reportFiles } from '../report/build.js'
import { everyFigure, getFailures, type Report } from '../report/report.js'
import { toTerminal } from '../report/terminal.js'
import { describeRun, getNotes, getVerdict } from '../report/verdict.js'
import { readPackageInfo } from '../run/machine.js'
import { launchFresh } from '../run/processes.js'
import { expectedMs, QUICK } from '../run/run.js'
import { allScenarios, choose, leaveOut, loadScenarios } from '../scenarios/index.js'
import type { Options } from './options.js'
import { runWithProgress } from './progress.js'

/**
 * @returns the exit code: 1 if an arm failed, 3 if the noise check failed
 * @throws {UsageError} if nothing matches the options, or `out` is not writable
 * @throws {Interrupted} after Ctrl-C
 */
export async function measureAndReport({ plan, filter, payload, lines, out }: Options): Promise<number> {
  const every = await loadScenarios(payload)
  const { scenarios, leftOut } = await leaveOut(choose(every, filter, lines))
  await writeReports(out)
  const output = createOutput(lines)
  const machine = readMachine()
  showStart('Sallyport bench', readPackageInfo().version, [describeMachine(machine), ...leftOut], output)

  const [startedAt, start] = [new Date(), performance.now()]
  const outcomes = await runWithProgress(output, scenarios, plan, () => launchFresh(payload))
  machine.loadAfter = readLoad()
  const seconds = (performance.now() - start) / 1000
  const report = buildReport(outcomes, { tool: readPackageInfo(), plan, filter, startedAt, seconds, machine })
  const files = reportFiles(report)
  showEnd(report, output)
  if (lines) process.stdout.write(toLines(report))
  await writeReports(out, files)
  const link = pathToFileURL(resolve(out, 'report.html')).href
  output.print(` ${output.screen.colors.bold(link)}\n and ${Object.keys(files).length - 1} more in ${join(out, '/')}\n`)
  return OUTCOMES[getFailures(report).length > 0 ? 'failed' : getVerdict(report).outcome].exitCode
}

/**
 * Other work on a machine only makes rounds slower: it empties caches, and compilation comes late. So their better quartile varies by half as
 * much as their median.
 */
const QUARTILE = { lower: 0.25, higher: 0.75 } as const

export const toLines = (report: Pick<Report, 'scenarios'>): string =>
  everyFigure(report)
    .map(({ path, figure: { processes, unit, better } }) => {
      const value = quantile(Float64Array.from(processes.flat()).sort(), QUARTILE[better])
      return `${JSON.stringify({ name: path, value, unit, better })}\n`
    })
    .join('')

/** Shows whether the figures can be believed, then the answers. A run of a part shows its tables, too: not all of them have an answer. */
function showEnd(report: Report, { screen, print }: Output): void {
  const { colors } = screen
  const show = (line: string, tint: (text: string) => string): void =>
    wrap(line, screen.columns - 2).forEach(part => print(` ${tint(part)}`))
  const { outcome, line } = getVerdict(report)
  print('')
  show(line, colors[TONES[OUTCOMES[outcome].tone]])
  print('')
  const tables = report.filter === null ? [] : getTables(report).map(({ table }) => table)
  for (const table of [...getAnswers(report), ...tables]) print(`${toTerminal(table, screen)}\n`)
  for (const note of [...getNotes(report), describeRun(report)]) show(note, colors.dim)
  for (const failure of getFailures(report)) show(`Failed: ${failure}`, colors.red)
  print('')
}

export function listAll(): void {
  const { screen, print } = createOutput()
  const { bold, dim } = screen.colors
  const show = (text: string, indent: string): void =>
    wrap(text, screen.columns - indent.length).forEach(line => print(`${indent}${dim(line)}`))
  show('--filter takes a part of scenario/case/arm. * is measured only by its name.', ' ')
  for (const scenario of allScenarios()) {
    const { id, title, about, main, cases, arms } = scenario
    print(`\n ${bold(`${id}${main ? '' : '*'}`)}  ${title}, ${Math.ceil(expectedMs(QUICK, scenario) / 1000)} s`)
    show(about, '    ')
    for (const [name, list] of Object.entries({ cases, arms }))
      show(`${name}: ${list.map(entry => entry.id).join(' ')}`, '    ')
  }
}
