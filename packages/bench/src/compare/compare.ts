// `sallyport-bench compare`, the regression check of Sallyport or of any program: measures head and base, measures slower figures again, and
// writes the result to the terminal, compare.txt and compare.json.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pc from 'picocolors'
import { makeWritable, showStart } from '../command/measure.js'
import type { CompareOptions } from '../command/options.js'
import { createInterruptSignal, createOutput, createProgress, runWithProgress } from '../command/output.js'
import { readLoad, readMachine } from '../report/build.js'
import type { Screen } from '../report/terminal.js'
import { OUTCOMES } from '../report/verdict.js'
import { readPackageInfo } from '../run/machine.js'
import { formatChange, short } from '../shared/text.js'
import { findWorkingDirectory, openBase } from './checkout.js'
import { compareInterleaved } from './interleaved.js'
import { COMPARISON_VERSION, conclude, getSuspects, getUnclear, joinSides, judge } from './judge.js'
import type { Comparison, Sides } from './judge.js'
import { compareProgram } from './program.js'
import { formatBounds, toText } from './text.js'

/** The width that a comment shows. */
const PLAIN: Screen = { columns: 100, colors: pc.createColors(false) }

/**
 * @returns the exit code: 1 for a regression, 3 if the run is too noisy to say
 * @throws {UsageError} if there is nothing to compare
 * @throws {Interrupted} after Ctrl-C
 */
export async function compare(options: CompareOptions): Promise<number> {
  const { out, json, plan, program } = options
  await makeWritable(out)
  const output = createOutput(json)
  const signal = createInterruptSignal()
  const [startedAt, start] = [new Date(), performance.now()]
  const { base, temporary, close } = await openBase(options.base, options.prepare, signal)
  try {
    const machine = readMachine()
    showStart(machine, output)
    const progress = createProgress(output)
    const method =
      program === null
        ? compareInterleaved(base, options, temporary, (scenarios, launch, done) =>
            runWithProgress(output, { scenarios, plan, signal, launch }, done),
          )
        : await compareProgram({
            ...{ ...options, ...plan, program, temporary, signal, progress },
            directories: { base: await findWorkingDirectory(base), head: process.cwd() },
          })
    const { rule, notes } = method
    const show = (measured: readonly Sides[]): void => {
      for (const { figure, slower, error = 'not measured' } of measured.map(entry => judge(entry, rule)))
        output.log(` ${figure}: ${slower ? `${formatChange(slower.factor)} (${formatBounds(slower)})` : error}`)
    }
    const measured = await method.measure(show)
    const first = measured.map(entry => judge(entry, rule))
    const [suspects, unclear] = [getSuspects(first, rule), getUnclear(first, rule)]
    const figures = [...suspects, ...unclear]
    if (figures.length > 0) output.log(`Measured again: ${figures.join(' ')}`)
    const again = figures.length > 0 ? await method.measure(show, figures) : []
    // A suspect is judged by its second measurement alone: it was chosen by the first.
    const repeat = again.map(entry => {
      const before = measured.find(({ figure }) => figure === entry.figure && unclear.includes(figure))
      return judge(before ? joinSides(before, entry) : entry, rule)
    })
    machine.loadAfter = readLoad()
    const comparison: Comparison = {
      comparisonVersion: COMPARISON_VERSION,
      verdict: conclude(first, repeat),
      tool: readPackageInfo(),
      startedAt: startedAt.toISOString(),
      seconds: (performance.now() - start) / 1000,
      machine,
      base: { name: base.name, kind: base.kind, ...(base.kind === 'ref' && { commit: base.commit }) },
      plan: { processes: plan.processes, rounds: plan.rounds, slotMs: plan.slotMs },
      ...(program && { program }),
      ...{ rule, notes, first, repeat },
    }
    const shorten = (_key: string, value: unknown): unknown => (typeof value === 'number' ? short(value) : value)
    const text = `${JSON.stringify(comparison, shorten, 2)}\n`
    await writeFile(join(out, 'compare.json'), text)
    await writeFile(join(out, 'compare.txt'), toText(comparison, PLAIN))
    output.print(toText(comparison, output.screen))
    if (json) process.stdout.write(text)
    return OUTCOMES[comparison.verdict].exitCode
  } finally {
    close()
  }
}
