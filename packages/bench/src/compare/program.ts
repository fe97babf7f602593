// Compares any program: runs it in base, head and base again, in alternating order. Its figures are what it prints, or else the CPU time
// of its main thread.
import { sum } from 'd3-array'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { FigureKind } from '../model/scenario.js'
import { interleave } from '../run/run.js'
import { UsageError } from '../shared/text.js'
import { readFigures, type PrintedFigure } from './figure-lines.js'
import { getTooFew, type Method, SIDES, type Side } from './interleaved.js'
import type { Processes } from '../statistics/ratio.js'
import type { Rule, Sides } from './judge.js'

export interface ProgramOptions {
  /** The program and its arguments. */
  program: readonly [string, ...string[]]
  /** Where each side runs it. */
  directories: { base: string; head: string }
  /** The number of runs of each side. */
  processes: number
  tolerance: number
  temporary: string
  signal: AbortSignal
  /** Shows what is measured, and nothing for an empty text. */
  progress(text: string): void
}

/** @throws {UsageError} if the program fails in one of the sides, or prints no figure and is not a program of Node.js */
export async function compareProgram(options: ProgramOptions): Promise<Method> {
  const { directories, processes, tolerance, progress } = options
  const run = (side: Side): Promise<PrintedFigure[]> =>
    runOnce(options, side === 'head' ? directories.head : directories.base)
  progress('first run of both')
  // It says what there is to judge, and fills the caches of the disk.
  const start = performance.now()
  const first = [...(await run('base')), ...(await run('head'))]
  let runMs = (performance.now() - start) / 2
  progress('')
  const rule: Rule = { tolerance, figures: new Set(first.map(({ name }) => name)).size }
  return {
    rule,
    notes: getTooFew(rule, processes),
    measure: async (report, figures) => {
      const runs: Record<Side, PrintedFigure[][]> = { base: [], head: [], again: [] }
      for (let round = 1; round <= processes; round++) {
        const left = Math.ceil(((processes - round + 1) * SIDES.length * runMs) / 1000)
        progress(`${figures ? 'again, ' : ''}round ${round} of ${processes} · ${left} s left`)
        for (const side of interleave(SIDES, SIDES.length, round)) {
          const before = performance.now()
          runs[side].push(await run(side))
          runMs = (runMs + performance.now() - before) / 2
        }
      }
      const sides = toSides(runs).filter(({ figure }) => !figures || figures.includes(figure))
      progress('')
      report(sides)
      return sides
    },
  }
}

/** A process of the program is a process of the statistics. A name that it prints several times has several rounds. */
function toSides(runs: Record<Side, PrintedFigure[][]>): Sides[] {
  const all = SIDES.flatMap(side => runs[side]).flat()
  const has = (side: Side, figure: string): boolean => runs[side].every(run => run.some(({ name }) => name === figure))
  return [...new Set(all.map(({ name }) => name))].map((figure): Sides => {
    const { better } = all.find(({ name }) => name === figure)!
    const read = (side: Side): Processes =>
      runs[side].map(run => run.filter(({ name }) => name === figure).map(({ value }) => value))
    const kind: FigureKind = { id: figure, title: figure, unit: '', better }
    const isInBase = has('base', figure) && has('again', figure)
    return {
      ...{ figure, kind, base: read('base'), head: read('head'), again: read('again') },
      ...(!isInBase && { missing: 'The base does not print this figure in each run' }),
      ...(isInBase && !has('head', figure) && { failed: 'The head does not print this figure in each run' }),
    }
  })
}

/** The name of the figure of a program that prints none. */
const CPU = 'CPU time'

async function runOnce({ program, temporary, signal }: ProgramOptions, cwd: string): Promise<PrintedFigure[]> {
  signal.throwIfAborted()
  const file = join(temporary, 'cpu-time')
  rmSync(file, { force: true })
  const [command, ...args] = program
  const { NODE_OPTIONS = '', ...env } = process.env
  const child = spawn(command, args, {
    ...{ cwd, signal, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] },
    env: {
      ...env,
      NODE_OPTIONS: `${NODE_OPTIONS} --import=${new URL('./cpu-time.js', import.meta.url).href}`.trim(),
      SALLYPORT_BENCH_CPU_FILE: file,
    },
  })
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    once(child, 'close').then(([exit]) => exit as number | null),
  ]).catch((error: Error) => {
    signal.throwIfAborted()
    throw new UsageError(`'${command}' could not start: ${error.message}`)
  })
  signal.throwIfAborted()
  const shown = `\`${program.join(' ')}\``
  if (code !== 0)
    throw new UsageError(`${shown} failed in ${cwd} with exit code ${code}:\n${stderr.join('').slice(-2000)}`)
  const figures = readFigures(stdout.join(''))
  if (figures.length > 0) return figures
  if (!existsSync(file))
    throw new UsageError(
      `${shown} printed no line \`name value unit\` in ${cwd}, and its CPU time is known only of Node.js`,
    )
  const value = sum(readFileSync(file, 'utf8').trim().split('\n'), Number)
  return [{ name: CPU, value, unit: 'µs', better: 'lower' }]
}
