// Runs a program in base, head and base again, in alternating order. Its figures are what it prints, or with `--cpu` the CPU time of its main
// thread, and the peak memory of a program of Node.js.
import { sum } from 'd3-array'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { orderOf, type Processes } from '#measure/statistics'
import { UsageError } from '@sallyport/protocol/internal/command-line'
import { count } from '#measure/text'
import { MEMORY, type Sides } from '../verdict/judge.js'
import { type PrintedFigure, readFigures } from './figure-lines.js'
import { startGroup } from './group.js'
import { createTranslation, removeTree, type Trees } from './sides.js'

type Side = 'base' | 'head' | 'again'
/** A round and its reverse belong together, and a look takes milliseconds. */
const ROUNDS_PER_LOOK = 4

const SIDES: readonly [Side, ...Side[]] = ['base', 'head', 'again']

export interface ProgramOptions {
  /** With its arguments. */
  program: readonly [string, ...string[]]
  /** The least number of runs of each side. */
  runs: number
  /** The time, in ms, in which more runs follow. */
  moreMs: number
  /** Judges the CPU time of the program instead of what it prints. */
  cpu: boolean
  /** Where each side runs it. */
  directories: Record<'base' | 'head', string>
  trees: Trees
  temporary: string
  signal: AbortSignal
  /** Shows what is measured, and nothing for an empty text. */
  progress(text: string): void
}

export interface Program {
  /** What it prints. */
  figures: readonly string[]
  /** Measures all figures or only some, until that is enough or the time is over. */
  measure(isEnough: (sides: readonly Sides[]) => boolean, figures?: readonly string[]): Promise<Sides[]>
}

/**
 * Runs the program once in each side, which says what there is to judge, and fills the caches of the disk.
 *
 * @throws {UsageError} if the program fails in one of the sides, prints no figure, or with `cpu` is not a program of Node.js
 */
export async function openProgram(options: ProgramOptions): Promise<Program> {
  const { runs, moreMs, progress } = options
  const run = (side: Side): Promise<PrintedFigure[]> => runOnce(options, side === 'head' ? 'head' : 'base')
  progress('first run of both')
  const start = performance.now()
  const first = [...(await run('base')), ...(await run('head'))]
  let runMs = (performance.now() - start) / 2
  progress('')
  return {
    figures: [...new Set(first.map(({ name }) => name))],
    measure: async (isEnough, figures) => {
      const all: Record<Side, PrintedFigure[][]> = { base: [], head: [], again: [] }
      const read = (): Sides[] => toSides(all).filter(({ figure }) => !figures || figures.includes(figure))
      const end = performance.now() + moreMs
      const isOver = (round: number): boolean =>
        round > runs && (performance.now() > end || (round % ROUNDS_PER_LOOK === 1 && isEnough(read())))
      for (let round = 1; !isOver(round); round++) {
        const least = Math.max(0, runs - round + 1) * SIDES.length * runMs
        const left = Math.ceil(Math.max(least, end - performance.now()) / 1000)
        progress(`${figures ? 'again, ' : ''}round ${round} · ${moreMs > 0 ? 'at most ' : ''}${left} s left`)
        for (const side of orderOf(SIDES, round - 1)) {
          const before = performance.now()
          all[side].push(await run(side))
          runMs = (runMs + performance.now() - before) / 2
        }
      }
      progress('')
      return read()
    },
  }
}

/** A run of the program is a process of the statistics. A name that it prints several times has several rounds. */
function toSides(runs: Record<Side, PrintedFigure[][]>): Sides[] {
  const all = SIDES.flatMap(side => runs[side]).flat()
  const has = (side: Side, figure: string): boolean => runs[side].every(run => run.some(({ name }) => name === figure))
  // A process that is killed does not say its own.
  const names = [...new Set(all.map(({ name }) => name))].filter(
    name => name !== MEMORY || SIDES.every(side => has(side, name)),
  )
  return names.map((figure): Sides => {
    const printed = all.filter(({ name }) => name === figure)
    // `950 kops/s` and `1.1 Mops/s` are no ratio of 864.
    const units = new Set(printed.map(({ unit, better }) => `${unit} (${better} is better)`))
    if (units.size > 1) throw new UsageError(`'${figure}' has several units: ${[...units].join(', ')}. Print one`)
    const { better, unit } = printed[0]!
    const read = (side: Side): Processes =>
      runs[side].map(run => run.filter(({ name }) => name === figure).map(({ value }) => value))
    const isInBase = has('base', figure) && has('again', figure)
    return {
      ...{ figure, better, unit, base: read('base'), head: read('head'), again: read('again') },
      ...(!isInBase && { missing: 'The base does not print this figure in each run' }),
      ...(isInBase && !has('head', figure) && { failed: 'The head does not print this figure in each run' }),
    }
  })
}

/** As text: Node's permission model can keep the program from reading the file. */
const readUsageModule = (): string =>
  `data:text/javascript;base64,${readFileSync(new URL('./usage.js', import.meta.url)).toString('base64')}`

/** More than the longest report of a tool. */
const MAX_OUTPUT = 2 ** 26

/**
 * Reads until the stream ends, or until all is read that an exited program has printed: what it has left in a session of its own keeps the pipe open.
 *
 * @throws {UsageError} of what no report is as long as
 */
async function readText(stream: Readable, exited: Promise<unknown>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  const ended = new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > MAX_OUTPUT) reject(new UsageError('printed more than 64 MiB. Print its figures alone'))
    })
    stream.once('end', resolve).once('error', reject)
  })
  const drained = exited.then(async () => {
    for (let before = -1; before !== size;) {
      before = size
      // The turn of the event loop in which it has exited can have read before.
      for (const turn of [1, 2]) await setImmediate(turn)
    }
  })
  await Promise.race([ended, drained]).finally(() => stream.destroy())
  return Buffer.concat(chunks).toString()
}

interface Run {
  stdout: string
  stderr: string
  /** `exit code 0`, or the name of a signal. */
  end: string
}

async function runProgram(options: ProgramOptions, side: 'base' | 'head', usageFile: string): Promise<Run> {
  const { program, directories, trees, signal } = options
  const translate = side === 'base' ? createTranslation(trees) : (text: string) => text
  const [command = '', ...args] = program.map(translate)
  const entries = Object.entries(process.env).map(([name, value]) => [name, translate(value ?? '')])
  const { NODE_OPTIONS = '', ...env } = Object.fromEntries(entries) as NodeJS.ProcessEnv
  const { child, end } = startGroup(
    command,
    args,
    {
      ...{ cwd: directories[side], stdio: ['ignore', 'pipe', 'pipe'] },
      env: {
        ...env,
        NODE_OPTIONS: `${NODE_OPTIONS} --import=${readUsageModule()}`.trim(),
        SALLYPORT_COMPARE_USAGE_FILE: usageFile,
      },
    },
    signal,
  )
  const exited = once(child, 'exit').then(([exit, by]) => (exit === null ? String(by) : `exit code ${exit}`))
  const [stdout, stderr, status] = await Promise.all([
    readText(child.stdout!, exited),
    readText(child.stderr!, exited),
    exited,
  ]).catch((error: Error) => {
    end()
    signal.throwIfAborted()
    if (error instanceof UsageError) throw new UsageError(`\`${program.join(' ')}\` ${error.message}`)
    throw new UsageError(`'${command}' could not start: ${error.message}`)
  })
  signal.throwIfAborted()
  return { stdout, stderr, end: status }
}

async function runOnce(options: ProgramOptions, side: 'base' | 'head'): Promise<PrintedFigure[]> {
  const { program, cpu, temporary, signal, directories, trees } = options
  const cwd = directories[side]
  signal.throwIfAborted()
  const file = join(temporary, 'usage')
  rmSync(file, { force: true })
  const { stdout, stderr, end } = await runProgram(options, side, file)
  const shown = `\`${program.join(' ')}\``
  const said = stderr === '' ? '' : `:\n${stderr.slice(-2000)}`
  if (end !== 'exit code 0') throw new UsageError(`${shown} failed in ${cwd} with ${end}${said}`)
  const usage = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  const read = (column: number): number[] => usage.map(line => Number(line.split(' ')[column]))
  const memory: PrintedFigure = { name: MEMORY, value: Math.max(...read(1)) * 1024, unit: 'B', better: 'lower' }
  if (!cpu) {
    const figures = readFigures(removeTree(stdout, trees[side]))
    if (figures.length > 0) return usage.length > 0 ? [...figures, memory] : figures
    const lines = stdout.split('\n').filter(Boolean)
    const begin = lines.slice(0, 5).map(line => `\n  ${line.slice(0, 200)}`)
    throw new UsageError(
      `No figure found in ${count(lines.length, 'line')} of ${shown} in ${cwd}. Print lines \`name value unit\`, or judge its CPU time with --cpu.${begin.join('')}`,
    )
  }
  if (usage.length === 0)
    throw new UsageError(`${shown} is not a program of Node.js, and --cpu knows only their CPU time`)
  return [{ name: 'CPU time', value: sum(read(0)), unit: 'µs', better: 'lower' }, memory]
}
