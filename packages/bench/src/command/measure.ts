// One run from beginning to end: chooses, measures, shows each scenario when it is done, and writes the reports.
import { access, constants, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildReport, scenarioReport } from '../report/build.js'
import { reportFiles } from '../report/files.js'
import { costTable, digestTable, getFailures, goalsTable, scenarioTable } from '../report/tables.js'
import { drawTable, wrap } from '../report/terminal.js'
import { describeMachine, describeRun, getNotes } from '../report/verdict.js'
import { launchFresh } from '../run/fresh-process.js'
import { describeMachine as readMachine, type Machine, readLoad, readPackageInfo } from '../run/machine.js'
import { run, type Watcher } from '../run/run.js'
import { allScenarios } from '../scenarios/index.js'
import { choose, leaveOut } from '../scenarios/select.js'
import { UsageError } from '../shared/text.js'
import { EXIT, type Options } from './options.js'
import { createInterruptSignal, createOutput, createProgress, type Output } from './output.js'

/**
 * @returns the exit code: 1 if an arm failed, 3 if the noise check failed
 * @throws {UsageError} if there is nothing to measure, or nowhere to write
 * @throws {Interrupted} after Ctrl-C
 */
export async function measureAndReport({ plan, filter, all, out, json }: Options): Promise<number> {
  const { scenarios, leftOut } = leaveOut(choose(allScenarios(), { filter, all }))
  await makeWritable(out)
  const output = createOutput(json)
  const { screen, print } = output
  const machine = readMachine()
  showStart(machine, output, leftOut)

  const [startedAt, start] = [new Date(), performance.now()]
  const progress = createProgress(output, scenarios, plan)
  const done: Watcher['done'] = outcome => {
    progress.clear()
    progress.done(outcome)
    print(`${drawTable(scenarioTable(scenarioReport(outcome, plan)), screen)}\n`)
  }
  const signal = createInterruptSignal()
  const outcomes = await run(scenarios, plan, { ...progress, done }, signal, launchFresh).finally(progress.clear)

  machine.loadAfter = readLoad()
  const seconds = (performance.now() - start) / 1000
  const report = buildReport(outcomes, { tool: readPackageInfo(), plan, filter, startedAt, seconds, machine })
  const files = reportFiles(report)
  for (const [name, text] of Object.entries(files)) await writeFile(join(out, name), text)
  const failures = getFailures(report)
  const bars = screen.columns >= 100 ? 40 : 20
  const tables = [costTable(report.isolationCost, bars), digestTable(report), goalsTable(report)]
  for (const table of tables) if (table) print(`${drawTable(table, screen)}\n`)
  const show = (line: string, tint: (text: string) => string): void =>
    wrap(line, screen.columns - 2).forEach(part => print(` ${tint(part)}`))
  for (const failure of failures) show(`Failed: ${failure}`, screen.colors.red)
  const written = Object.keys(files)
    .map(name => join(out, name))
    .join(' · ')
  for (const note of [...getNotes(report), describeRun(report), `Written: ${written}`]) show(note, screen.colors.dim)
  print('')
  if (json) process.stdout.write(files['report.json'])
  if (failures.length > 0) return EXIT.failed
  return report.noise?.outcome === 'too noisy' ? EXIT.tooNoisy : EXIT.fine
}

/**
 * Makes the directory for the reports before anything is measured, so that a minute is not lost for it.
 *
 * @throws {UsageError} if it cannot be made or written to
 */
export async function makeWritable(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true })
    await access(out, constants.W_OK)
  } catch (error) {
    throw new UsageError(`--out ${out}: ${(error as Error).message}`)
  }
}

/** Shows where the run takes place, and what it leaves out. */
export function showStart(machine: Machine, { screen, print }: Output, leftOut: readonly string[] = []): void {
  const { bold, dim } = screen.colors
  const lines = [describeMachine(machine), ...leftOut].map(line => ` ${dim(line)}\n`)
  print(`\n ${bold('Sallyport bench')} ${readPackageInfo().version}\n${lines.join('')}`)
}

/** Prints every scenario with its cases and arms, as a filter names them. */
export function listAll(): number {
  const { screen, print } = createOutput(false)
  const { bold, dim } = screen.colors
  for (const { id, title, about, main, cases, arms } of allScenarios()) {
    print(`  ${bold(id)}${main ? '' : '*'}  ${title}`)
    const lists = Object.entries({ cases, arms }).map(
      ([name, list]) => `${name}: ${list.map(entry => entry.id).join(' ')}`,
    )
    for (const line of [about, ...lists].flatMap(text => wrap(text, screen.columns - 4))) print(`    ${dim(line)}`)
  }
  const end = 'A path is scenario/case/arm; --filter takes a part of it. * is measured only by its name, or with --all.'
  print(['', ...wrap(end, screen.columns)].join('\n'))
  return EXIT.fine
}
