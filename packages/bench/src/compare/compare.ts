// `sallyport-bench compare`, the regression check of any program: measures head and base, measures slower figures again, and writes the result
// to the terminal, compare.txt and compare.json.
import pc from 'picocolors'
import { showStart } from '../command/measure.js'
import type { CompareOptions } from '../command/options.js'
import { createInterruptSignal, createOutput, createProgress, writeReports } from '../command/output.js'
import { readLoad, readMachine } from '../report/build.js'
import type { Screen } from '../report/terminal.js'
import { OUTCOMES } from '../report/verdict.js'
import { readPackageInfo } from '../run/machine.js'
import { count, short, UsageError } from '../shared/text.js'
import { type Comparison, COMPARISON_VERSION, conclude, getMinRuns, getSuspects, judge, type Rule } from './judge.js'
import { openBase, openProgram, toExport } from './program.js'
import { toText } from './text.js'

/** A comment shows so many columns on a phone. */
const PLAIN: Screen = { columns: 46, colors: pc.createColors(false) }

/**
 * @returns the exit code: 1 for a regression, 3 if the run is too noisy to say
 * @throws {UsageError} if there is nothing to compare
 * @throws {Interrupted} after Ctrl-C
 */
export async function compare(options: CompareOptions): Promise<number> {
  const { out, runs, cpu, program, tolerance, tolerances } = options
  await writeReports(out)
  const output = createOutput()
  const signal = createInterruptSignal()
  const [startedAt, start] = [new Date(), performance.now()]
  const { base, directory, temporary, close } = await openBase(options.base, options.prepare, signal)
  try {
    const machine = readMachine()
    showStart(machine, output)
    const directories = { base: directory, head: process.cwd() }
    const progress = createProgress(output)
    const { figures, measure } = await openProgram({ program, directories, runs, cpu, temporary, signal, progress })
    const rule: Rule = { tolerance, tolerances, figures: figures.length }
    const unknown = Object.keys(tolerances).filter(name => !figures.includes(name))
    if (unknown.length > 0) throw new UsageError(`--tolerance: no figure is called '${unknown.join("', '")}'`)
    const least = getMinRuns(rule)
    if (runs < least)
      throw new UsageError(`--runs ${runs} is too few for ${count(rule.figures, 'figure')}. Use ${least} or more`)
    const measured = await measure()
    if (measured.every(({ missing }) => missing !== undefined))
      throw new UsageError(
        `The base printed no figure under the same name in each run, such as '${measured[0]?.figure}'. Print names without measured numbers`,
      )
    const first = measured.map(entry => judge(entry, rule))
    const suspects = getSuspects(first, rule)
    if (suspects.length > 0) output.log(`Measured again: ${suspects.join(' ')}`)
    // A suspect is judged by its second measurement alone: it was chosen by the first.
    const again = suspects.length > 0 ? await measure(suspects) : []
    const repeat = again.map(entry => judge(entry, rule))
    machine.loadAfter = readLoad()
    const comparison: Comparison = {
      comparisonVersion: COMPARISON_VERSION,
      verdict: conclude(first, repeat),
      tool: readPackageInfo(),
      startedAt: startedAt.toISOString(),
      seconds: (performance.now() - start) / 1000,
      machine,
      ...{ base, program, runs, rule, first, repeat },
    }
    const shorten = (_key: string, value: unknown): unknown => (typeof value === 'number' ? short(value) : value)
    output.print(toText(comparison, output.screen))
    await writeReports(out, {
      'compare.json': `${JSON.stringify(comparison, shorten, 2)}\n`,
      'compare.txt': toText(comparison, PLAIN),
      ...(options.isExported && toExport(measured)),
    })
    return options.flagOnly ? 0 : OUTCOMES[comparison.verdict].exitCode
  } finally {
    close()
  }
}
