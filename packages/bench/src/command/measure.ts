// One run from beginning to end: chooses scenarios, measures and shows each, and writes the reports.
import { describeMachine, readLoad, readMachine } from '#measure/machine'
import { createOutput, type Output, showStart, writeReports } from '#measure/output'
import { wrap } from '@sallyport/protocol/internal/command-line'
import { OUTCOMES, TONES } from '#measure/screen'
import { quantile } from '#measure/statistics'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { getAnswers, getTables } from '../report/answers.js'
import { buildReport, reportFiles } from '../report/build.js'
import { everyFigure, getFailures, type Report } from '../report/report.js'
import { toFirst, toTerminal } from '../report/terminal.js'
import { describeOthers, describeRun, getNotes, getVerdict } from '../report/noise.js'
import { readPackageInfo } from '../run/machine.js'
import { launchFresh } from '../run/processes.js'
import { expectedMs, QUICK } from '../run/run.js'
import { allScenarios, choose, leaveOut, loadScenarios } from '../scenarios/index.js'
import type { Options } from './options.js'
import { runWithProgress } from './progress.js'

/**
 * @returns the exit code: 1 if an arm failed, 3 if all that was measured twice is too noisy
 * @throws {UsageError} if nothing matches the options, or `out` is not writable
 * @throws {Interrupted} after Ctrl-C
 */
export async function measureAndReport({ plan, filter, payload, lines, all, out }: Options): Promise<number> {
  const every = await loadScenarios(payload)
  const { scenarios, leftOut } = await leaveOut(choose(every, filter, plan.mode, lines))
  await writeReports(out)
  const output = createOutput(lines)
  const machine = readMachine()
  showStart('Sallyport bench', readPackageInfo().version, [describeMachine(machine), ...leftOut], output)

  const [startedAt, start] = [new Date(), performance.now()]
  const outcomes = await runWithProgress(output, scenarios, plan, () => launchFresh(payload))
  machine.loadAfter = readLoad()
  const seconds = (performance.now() - start) / 1000
  const report = buildReport(outcomes, { tool: readPackageInfo(), plan, filter, startedAt, seconds, machine })
  showEnd(report, output, pathToFileURL(resolve(out, 'report.html')).href, all)
  if (lines) process.stdout.write(toLines(report))
  await writeReports(out, reportFiles(report))
  return OUTCOMES[getVerdict(report).outcome].exitCode
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

/** Shows the tables, then what the answers say and what to run next, all on a screen. A part has all of its answers, and the tables of scenarios without one. @param link - to the report */
function showEnd(report: Report, { screen, print }: Output, link: string, all: boolean): void {
  const { colors, columns } = screen
  const show = (line: string, tint: (text: string) => string = String): void =>
    wrap(line, columns - 2).forEach(part => print(` ${tint(part)}`))
  const { outcome, line } = getVerdict(report)
  const answers = getAnswers(report).filter(({ first }) => all || first || report.filter !== null)
  const sentences = answers.flatMap(({ sentence }) => sentence ?? [])
  const isPlain = outcome !== 'fine' || sentences.length === 0
  const isAnswered = ({ id }: { id: string }): boolean => answers.some(({ of }) => of === id)
  const tables = getTables(report).filter(({ scenario }) => all || (report.filter !== null && !isAnswered(scenario)))
  const drawn = [
    ...answers.map(table => (all || !table.first ? toTerminal(table, screen) : toFirst(table, screen))),
    ...tables.map(({ table }) => toTerminal(table, screen)),
  ]
  for (const text of drawn) print(`\n${text}`)
  for (const failure of getFailures(report)) show(`Failed: ${failure}`, colors.red)
  const facts = [!isPlain && describeOthers(report), ...getNotes(report), all && describeRun(report)]
  show(facts.filter(Boolean).join(' '), colors.dim)
  // Last, where a terminal has scrolled to.
  print('')
  if (!all) for (const sentence of sentences) show(sentence.replaceAll('`', '').replaceAll(' %', '\u00a0%'))
  if (isPlain) show(line, colors[TONES[OUTCOMES[outcome].tone]])
  if (outcome === 'too noisy')
    show('This run answers nothing. Repeat it while nothing else runs, or longer with --full.')
  const isQuick =
    report.mode === 'quick' && report.filter === null && report.scenarios.some(({ id }) => id === 'formats')
  const larger = isQuick ? 'larger documents with --full, ' : ''
  print(` ${all ? '' : `More with --all, ${larger}and in `}${colors.bold(link)}`)
}

export function listAll(): void {
  const { screen, print } = createOutput()
  const { bold, dim } = screen.colors
  const show = (text: string, indent: string): void =>
    wrap(text, screen.columns - indent.length).forEach(line => print(`${indent}${dim(line)}`))
  show('--filter takes a part of scenario/case/arm. + is measured with --full, * only by its name.', ' ')
  for (const scenario of allScenarios()) {
    const { id, title, about, from, cases, arms } = scenario
    const sign = { quick: '', full: '+', name: '*' }[from ?? 'name']
    print(`\n ${bold(`${id}${sign}`)}  ${title}, ${Math.ceil(expectedMs(QUICK, scenario) / 1000)} s`)
    show(about, '    ')
    show(`cases: ${cases.map(entry => `${entry.id}${from === 'quick' && entry.from ? '+' : ''}`).join(' ')}`, '    ')
    show(`arms: ${arms.map(({ id: name }) => name).join(' ')}`, '    ')
  }
}
