// The command line of a comparison: reads it, or reports what is wrong with it.
import type { BaseOptions } from '../program/base.js'
import type { ProgramOptions } from '../program/program.js'
import {
  type CommandSet,
  type Options,
  readCommandLine,
  readNumber,
  UsageError,
} from '@sallyport/protocol/internal/command-line'
import { readPackage } from '#measure/machine'
import type { Rule } from '../verdict/judge.js'

export interface CompareOptions
  extends
    BaseOptions,
    Pick<ProgramOptions, 'program' | 'runs' | 'moreMs' | 'cpu'>,
    Required<Pick<Rule, 'tolerance' | 'tolerances'>> {
  /** Only shows a regression, and exits with 0. */
  flagOnly: boolean
}

/** A bound of 1 % for 20 figures needs eleven, and more are steadier. */
const RUNS = 15
/** Without a number of the user, runs go on until intervals are narrow, or so much time has passed. */
const MORE_MS = 30_000
/** Of fewer runs, two sides can differ as much by chance in one figure and the memory. */
const MIN_RUNS = 8

const OPTIONS: Options = {
  base: ['what', 'A git ref (checked out and built), or a directory'],
  tolerance: ['percent', 'The slowdown to tolerate: 5%, or of one figure: name=20%'],
  'flag-only': [null, 'Only show a regression: exit with 0'],
  prepare: ['command', 'Installs and builds the checkout of a git ref'],
  runs: ['n', `Runs of the program in each side (default: ${RUNS} or more)`],
  cpu: [null, 'Judge the CPU time of the program, whatever it prints'],
  out: ['dir', 'Directory of the reports'],
}

const NOTES = `The program is run in both, and judged by what it prints: "name value unit", JSON, or what a known tool prints.

Examples:
  $ sallyport-compare --base main -- node my-bench.mjs
  $ sallyport-compare --base ../before --cpu -- node my-program.mjs

Exit codes: 0 success · 1 worse · 2 error, nothing was judged · 3 too noisy to judge · 129, 130, 143 ended by a signal`

const COMMANDS: CommandSet = {
  name: 'sallyport-compare',
  version: readPackage(import.meta.url, '../..').version,
  commands: {
    '': {
      usage: '--base <what> [options] -- <program>',
      about: 'is this program slower than in another checkout?',
      options: OPTIONS,
      notes: NOTES,
      words: Infinity,
      program: true,
    },
  },
}

/** Returns `undefined` after it has printed the help or the version. @throws {UsageError} if an option is wrong */
export function parseOptions(argv: readonly string[]): CompareOptions | undefined {
  const line = readCommandLine(COMMANDS, argv)
  if (line.print !== undefined) {
    console.info(line.print)
    return undefined
  }
  const { words, values, program } = line
  const [name, ...rest] = program
  if (words.length > 0) throw new UsageError(`Name the program after --, as in: -- ${words.join(' ')}`)
  const get = (key: string): string | null => values[key]?.at(-1) ?? null
  const base = get('base')
  if (base === null) throw new UsageError('Name the base, a git ref or a directory, with --base')
  if (name === undefined) throw new UsageError('Name a program after --, as in: -- node my-bench.mjs')
  return {
    ...{ base, prepare: get('prepare'), program: [name, ...rest], out: get('out') ?? 'bench-compare' },
    ...readTolerances(values['tolerance'] ?? []),
    ...{ runs: readNumber(values, 'runs', RUNS, MIN_RUNS), moreMs: values['runs'] === undefined ? MORE_MS : 0 },
    ...{ cpu: values['cpu'] !== undefined, flagOnly: values['flag-only'] !== undefined },
  }
}

/** Reads `5%` and `name=20%`. @throws {UsageError} if one is no percentage */
function readTolerances(texts: readonly string[]): Pick<CompareOptions, 'tolerance' | 'tolerances'> {
  const all = texts.map(text => {
    const [, name, digits] = /^(?:(.+)=)?(\d+(?:\.\d+)?) ?%$/.exec(text) ?? []
    if (!(Number(digits) > 0)) throw new UsageError(`--tolerance takes a percentage above 0, as in 5%, not '${text}'`)
    return { name, factor: 1 + Number(digits) / 100 }
  })
  return {
    tolerance: all.findLast(({ name }) => name === undefined)?.factor ?? 1.05,
    tolerances: Object.fromEntries(all.flatMap(({ name, factor }) => (name === undefined ? [] : [[name, factor]]))),
  }
}
