// The command line: reads it, or reports what is wrong with it and what is possible instead.
import { parseArgs } from 'node:util'
import { readPackageInfo } from '../run/machine.js'
import { FULL, QUICK, type Plan } from '../run/plan.js'
import { UsageError } from '../shared/text.js'

export interface Options {
  plan: Plan
  filter: string | null
  /** Includes scenarios that run only if `filter` names them. */
  all: boolean
  /** A file with the user's payloads, which are measured in place of the scenarios. */
  payload: string | null
  /** Shows the goals of the project. */
  goals: boolean
  out: string
  json: boolean
}

export interface CompareOptions extends Options {
  base: string
  /** A factor above 1. */
  tolerance: number
  /** The command that installs and builds a git ref; null for the command that its files imply. */
  prepare: string | null
  /** The program with its arguments, instead of the benchmark of Sallyport. */
  program: [string, ...string[]] | null
}

export type Command =
  | { name: 'run'; options: Options }
  | { name: 'list'; options: { long: boolean } }
  | { name: 'compare'; options: CompareOptions }

/**
 * The plan of a comparison. Eleven processes agree by chance once in 2048 times, which is rare enough for 20 figures. Twelve rounds are twice
 * the six orders of three sides. Calls within one thread are compiled after 0.6 s, and a warm-up takes at least half of its time. A checkout
 * that takes half a minute to build leaves the usual comparison, with its repeat, below four minutes. On a busy machine it takes longer: without
 * its rounds, a process says nothing.
 */
const COMPARE: Plan = { ...FULL, processes: 11, warmUpMs: 1600, rounds: 12, slotMs: 10, budgetMs: 240_000 }

/** The runs of a program on each side: a bound of 1 % for 20 figures needs eleven, and more are steadier. */
const PROGRAM: Plan = { ...COMPARE, processes: 15, rounds: 1 }

interface Option {
  commands: Command['name'][]
  /** The name of the value in the help. An option without a value is a flag. */
  value?: string
  short?: string
  text: string
}

const MEASURING: Command['name'][] = ['run', 'compare']

const OPTIONS: Readonly<Record<string, Option>> = {
  base: { commands: ['compare'], value: 'what', text: 'A git ref (checked out and built), or a directory' },
  tolerance: { commands: ['compare'], value: 'percent', text: 'The slowdown to tolerate (default: 5%)' },
  prepare: { commands: ['compare'], value: 'command', text: 'Installs and builds the checkout of a git ref' },
  payload: { commands: ['run'], value: 'file', text: 'Measure your document (.json), bytes, or module of cases' },
  all: { commands: ['run'], text: 'Include the scenarios that are left out by default' },
  full: { commands: ['run'], text: 'Minutes instead of about one, with less noise' },
  goals: { commands: ['run'], text: "Show the project's own goals" },
  long: { commands: ['list'], text: 'Show what each scenario measures, with its cases and arms' },
  filter: { commands: MEASURING, value: 'text', text: 'Only paths scenario/case/arm with this text, or /regex/' },
  processes: { commands: MEASURING, value: 'n', text: 'Number of processes, one after another; of runs of a program' },
  rounds: { commands: MEASURING, value: 'n', text: 'Rounds in each process, preferably even' },
  slot: { commands: MEASURING, value: 'ms', text: 'Length of a measurement; the warm-up is proportional' },
  out: { commands: MEASURING, value: 'dir', text: 'Directory of the reports (default: bench-report, bench-compare)' },
  json: { commands: MEASURING, text: 'Print the report as JSON, and nothing else, to stdout' },
  help: { commands: ['list', ...MEASURING], short: 'h', text: 'Print this help' },
  version: { commands: ['list', ...MEASURING], short: 'v', text: 'Print the version' },
}

const COMMANDS = ['list', 'compare'] as const

const getOptions = (command: Command['name']): [string, Option][] =>
  Object.entries(OPTIONS).filter(([, { commands }]) => commands.includes(command))

function getHelp(command: Command['name']): string {
  const lines = getOptions(command).map(([name, { value, short, text }]) => {
    const usage = `--${name}${value ? ` <${value}>` : ''}${short ? `, -${short}` : ''}`
    return `  ${usage.padEnd(21)}  ${text}`
  })
  return `sallyport-bench [command] [options]: measure what Sallyport costs on this machine

Commands:
  (none)                 Measure what Sallyport costs on this machine
  list                   List the scenarios
  compare                Check whether this version is slower than another one
  compare … -- <program> The same for any program that prints lines "name value unit", or by its CPU time

Options:
${lines.join('\n')}

Examples:
  $ sallyport-bench                         the main questions, in about 75 seconds
  $ sallyport-bench --payload order.json    which transport is best for your document?
  $ sallyport-bench list                    all scenarios
  $ sallyport-bench --filter burst          one shape of traffic, in half a minute
  $ sallyport-bench --filter throughput/64  calls/s, compared with other libraries
  $ sallyport-bench --all --full            all scenarios, in an hour
  $ sallyport-bench compare --base main     did this change make Sallyport slower?
  $ sallyport-bench compare --base main -- node my-bench.mjs    or your own program?

Exit codes: 0 success · 1 failed, or slower · 2 error in the command line · 3 too noisy to judge · 129, 130, 143 ended by a signal`
}

/** Returns `undefined` after it has printed the help or the version. @throws {UsageError} if an option is wrong */
export function parseOptions(argv: readonly string[]): Command | undefined {
  const end = argv.indexOf('--')
  const [args, program] = end < 0 ? [argv.slice(2), []] : [argv.slice(2, end), argv.slice(end + 1)]
  const { name, values } = parse(args)
  if (end >= 0 && name !== 'compare') throw new UsageError('Only compare takes a program after --')
  if (values['help'] || values['version']) {
    console.info(values['help'] ? getHelp(name) : `sallyport-bench/${readPackageInfo().version}`)
    return undefined
  }
  if (name === 'list') return { name, options: { long: values['long'] === true } }
  const get = (key: string): string | null => (values[key] as string | undefined) ?? null
  const getNumber = (key: string, otherwise: number): number => {
    const number = Number(get(key) ?? otherwise)
    if (Number.isSafeInteger(number) && number > 0) return number
    throw new UsageError(`--${key} takes a whole number above 0, not '${get(key)}'`)
  }
  const filter = get('filter')
  const [all, json] = [values['all'] === true, values['json'] === true]
  const payload = get('payload')
  if (all && filter !== null) throw new UsageError('--all and --filter exclude each other')
  const quick = payload === null ? QUICK : { ...QUICK, budgetMs: 0 }
  if (end >= 0) checkProgram(program, values)
  const mode = name === 'compare' ? (end < 0 ? COMPARE : PROGRAM) : values['full'] ? FULL : quick
  const slotMs = getNumber('slot', mode.slotMs)
  const [processes, rounds] = [getNumber('processes', mode.processes), getNumber('rounds', mode.rounds)]
  const plan: Plan = { ...mode, processes, rounds, slotMs, warmUpMs: (mode.warmUpMs * slotMs) / mode.slotMs }
  const out = get('out') ?? (name === 'compare' ? 'bench-compare' : 'bench-report')
  const goals = values['goals'] === true
  const options: Options = { plan, filter, all, payload, goals, out, json }
  if (name === 'run') return { name, options }
  const [base, tolerance, prepare] = [get('base'), get('tolerance') ?? '5%', get('prepare')]
  if (base === null) throw new UsageError('compare needs --base: a git ref or a directory')
  const percent = Number(/^(\d+(?:\.\d+)?) ?%$/.exec(tolerance)?.[1])
  if (!(percent > 0)) throw new UsageError(`--tolerance takes a percentage above 0, as in 5%, not '${tolerance}'`)
  const [command, ...rest] = program
  const withProgram = command === undefined ? null : ([command, ...rest] satisfies CompareOptions['program'])
  return { name, options: { ...options, base, tolerance: 1 + percent / 100, prepare, program: withProgram } }
}

/** @throws {UsageError} if there is none, or options for Sallyport's own scenarios */
function checkProgram(program: readonly string[], values: Readonly<Record<string, unknown>>): void {
  if (program.length === 0) throw new UsageError('Name a program after --, as in: -- node my-bench.mjs')
  const wrong = ['filter', 'rounds', 'slot'].find(option => values[option] !== undefined)
  if (wrong !== undefined) throw new UsageError(`--${wrong} belongs to scenarios of Sallyport, not to a program`)
}

function parse(args: string[]): { name: Command['name']; values: Record<string, string | boolean | undefined> } {
  const name: Command['name'] = COMMANDS.find(command => command === args[0]) ?? 'run'
  const known = getOptions(name)
  const options = known.map(([key, { value, short }]) => {
    const type = value ? ('string' as const) : ('boolean' as const)
    return [key, { type, ...(short && { short }) }] as const
  })
  const rest = name === 'run' ? args : args.slice(1)
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      options: Object.fromEntries(options),
      allowPositionals: true,
    })
    if (positionals.length === 0) return { name, values }
    throw new Error(`Unknown command or argument '${positionals[0]}'. The commands are: ${COMMANDS.join(', ')}`)
  } catch (error) {
    const { message } = error as Error
    const all = known.map(([key]) => `--${key}`).join(' ')
    throw new UsageError(message.replace(/^(Unknown option '.*?').*/s, `$1. The options are: ${all}`))
  }
}
