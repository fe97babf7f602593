// The regression check of any program: measures head and base, measures slower figures again, and writes the result to the terminal, compare.txt and
// compare.json.
import { appendFile } from 'node:fs/promises'
import pc from 'picocolors'
import { openBase } from '../program/base.js'
import { openProgram, type ProgramOptions } from '../program/program.js'
import { describeMachine, readLoad, readMachine, readPackage } from '#measure/machine'
import type { Output } from '#measure/output'
import { createInterruptSignal, createOutput, createProgress, showStart, writeReports } from '#measure/output'
import { OUTCOMES, type Screen } from '#measure/screen'
import { UsageError } from '@sallyport/protocol/internal/command-line'
import { count, oneLine, short } from '#measure/text'
import type { Comparison, Rule, Sides } from '../verdict/judge.js'
import { COMPARISON_VERSION, conclude, getMinRuns, getSuspects, isNarrow, judge, MEMORY } from '../verdict/judge.js'
import { toText } from '../verdict/text.js'
import { type CompareOptions, parseOptions } from './options.js'

/** A comment shows so many columns on a phone. */
const PLAIN: Screen = { columns: 46, colors: pc.createColors(false) }

/**
 * @returns the exit code: 1 for a regression, and for nothing else; 3 if the run is too noisy to say
 * @throws {UsageError} if there is nothing to compare
 * @throws {Interrupted} after Ctrl-C
 */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args)
  if (!options) return 0
  const { out, program } = options
  await writeReports(out)
  const output = createOutput()
  const signal = createInterruptSignal()
  const tool = readPackage(import.meta.url, '../..')
  const [startedAt, start] = [new Date(), performance.now()]
  const { base, directory, trees, isSame, stale, temporary, close } = await openBase(options, signal)
  try {
    const machine = readMachine()
    showStart('Sallyport compare', tool.version, [describeMachine(machine)], output)
    const directories = { base: directory, head: process.cwd() }
    const how = { ...options, directories, trees, temporary, signal, progress: createProgress(output) }
    if (stale !== undefined)
      output.log(`${oneLine(stale)} is newer than what was built of it. Build before you compare`)
    const judged = isSame ? NOTHING : await measureSides(how, output)
    machine.loadAfter = readLoad()
    const comparison: Comparison = {
      comparisonVersion: COMPARISON_VERSION,
      verdict: isSame ? 'fine' : conclude(judged.first, judged.repeat),
      tool,
      startedAt: startedAt.toISOString(),
      seconds: (performance.now() - start) / 1000,
      machine,
      ...{ base, program, ...judged },
    }
    const shorten = (_key: string, value: unknown): unknown => (typeof value === 'number' ? short(value) : value)
    const { verdict, details } = toText(comparison, output.screen)
    output.print(`${details}\n${verdict}`)
    const plain = toText(comparison, PLAIN)
    const text = `${plain.verdict}\n${plain.details}`
    const json = `${JSON.stringify(comparison, shorten, 2)}\n`
    await writeReports(out, { 'compare.json': json, 'compare.txt': text })
    // Here, because bash ends a step of GitHub Actions after any exit code but 0. A figure's name must not end the block.
    const { GITHUB_STEP_SUMMARY: summary } = process.env
    if (summary) await appendFile(summary, `~~~text\n${text.replaceAll('~', '-')}~~~\n`)
    return options.flagOnly ? 0 : OUTCOMES[comparison.verdict].exitCode
  } finally {
    close()
  }
}

type Measured = Pick<Comparison, 'runs' | 'rule' | 'first' | 'repeat'>

const NOTHING: Measured = { runs: 0, rule: { tolerance: 1, figures: 0 }, first: [], repeat: [] }

async function measureSides(options: CompareOptions & ProgramOptions, { log }: Output): Promise<Measured> {
  const { runs, tolerance, tolerances } = options
  const { figures, measure } = await openProgram(options)
  const rule: Rule = { tolerance, tolerances, figures: figures.length }
  const unknown = Object.keys(tolerances).filter(name => !figures.includes(name))
  if (unknown.length > 0) throw new UsageError(`--tolerance: no figure is called '${unknown.join("', '")}'`)
  const least = getMinRuns(rule)
  if (runs < least)
    throw new UsageError(`--runs ${runs} is too few for ${count(rule.figures, 'figure')}. Use ${least} or more`)
  const isEnough = (all: readonly Sides[]): boolean => isNarrow(all, rule)
  const sides = await measure(isEnough)
  if (sides.every(({ figure, missing }) => figure === MEMORY || missing !== undefined))
    throw new UsageError(
      `The base printed no figure under the same name in each run, such as '${sides[0]?.figure}'. Print names without measured numbers`,
    )
  const first = sides.map(entry => judge(entry, rule))
  const suspects = getSuspects(first, rule)
  if (suspects.length > 0) log(`Measured again: ${oneLine(suspects.join(' '))}`)
  // A suspect is judged by its second measurement alone: it was chosen by the first.
  const again = suspects.length > 0 ? await measure(isEnough, suspects) : []
  const repeat = again.map(entry => judge(entry, rule))
  return { runs: sides[0]!.head.length, rule, first, repeat }
}
