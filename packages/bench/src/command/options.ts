// The command line: reads it, or reports what is wrong with it and what is possible instead.
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readPackageInfo } from '../run/machine.js'
import { FULL, type Plan, QUICK } from '../run/run.js'
import { UsageError } from '../shared/text.js'

export interface Options {
  plan: Plan
  filter: string | null
  /** A file with the user's payloads, which are measured in place of the scenarios. */
  payload: string | null
  /** Prints each figure as a line of JSON for a comparison, and measures only what the filter selects. */
  lines: boolean
  out: string
}

export interface CompareOptions {
  base: string
  /** Factors above 1: of every figure, and of those that have one of their own. */
  tolerance: number
  tolerances: Readonly<Record<string, number>>
  /** The command that installs and builds a git ref; null for the command that its files imply. */
  prepare: string | null
  /** The number of runs of each side. */
  runs: number
  /** Judges the CPU time of the program instead of what it prints. */
  cpu: boolean
  /** Writes the figures of the head for github-action-benchmark, too. */
  isExported: boolean
  /** Only shows a regression, and exits with 0. */
  flagOnly: boolean
  out: string
  /** The program with its arguments. */
  program: [string, ...string[]]
}

type Command =
  | { name: 'run'; options: Options }
  | { name: 'list'; options: object }
  | { name: 'compare'; options: CompareOptions }

/** The only format of `--export`. */
const EXPORT = 'github-action-benchmark'

/** A bound of 1 % for 20 figures needs eleven, and more are steadier. */
const RUNS = 15
/** Of fewer runs, two sides can differ as much by chance. */
const MIN_RUNS = 7

interface Option {
  commands: Command['name'][]
  /** The name of the value in the help. An option without a value is a flag. */
  value?: string
  /** It can be given several times. */
  multiple?: true
  short?: string
  text: string
}

const OPTIONS: Readonly<Record<string, Option>> = {
  base: { commands: ['compare'], value: 'what', text: 'A git ref (checked out and built), or a directory' },
  tolerance: {
    ...{ commands: ['compare'], value: 'percent', multiple: true },
    text: 'The slowdown to tolerate: 5%, or of one figure: name=20%',
  },
  export: { commands: ['compare'], value: 'format', text: `Write the figures of the head as ${EXPORT}` },
  'flag-only': { commands: ['compare'], text: 'Only show a regression: exit with 0' },
  prepare: { commands: ['compare'], value: 'command', text: 'Installs and builds the checkout of a git ref' },
  runs: { commands: ['compare'], value: 'n', text: `Runs of the program in each side (default: ${RUNS})` },
  cpu: { commands: ['compare'], text: 'Judge the CPU time of the program, whatever it prints' },
  payload: { commands: ['run'], value: 'file', text: 'Measure your document (.json), bytes, or module of cases' },
  full: { commands: ['run'], text: 'Minutes instead of about one, with less noise' },
  lines: { commands: ['run'], text: 'Print a line of JSON for each figure, as compare reads it' },
  filter: {
    commands: ['run'],
    value: 'text',
    text: 'Only paths scenario/case/arm that match, as a regular expression',
  },
  rounds: { commands: ['run'], value: 'n', text: 'Rounds in each process, preferably even' },
  slot: { commands: ['run'], value: 'ms', text: 'Length of a measurement' },
  out: { commands: ['run', 'compare'], value: 'dir', text: 'Directory of the reports' },
  help: { commands: ['list', 'run', 'compare'], short: 'h', text: 'Print this help' },
  version: { commands: ['list', 'run', 'compare'], short: 'v', text: 'Print the version' },
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
  (none)                  Measure what Sallyport costs on this machine
  list                    List the scenarios
  compare … -- <program>  Check whether a program is slower than in another checkout, by
                          what it prints: "name value unit", JSON, or a known tool's

Options:
${lines.join('\n')}

Examples:
  $ sallyport-bench                         the main questions, in about 90 seconds
  $ sallyport-bench --payload order.json    which transport is best for your document?
  $ sallyport-bench list                    all scenarios
  $ sallyport-bench --filter burst          one shape of traffic, in half a minute
  $ sallyport-bench --filter throughput/64  calls/s, compared with other libraries
  $ sallyport-bench compare --base main -- node my-bench.mjs
                                            did this change make my program slower?

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
  if (name === 'list') return { name, options: {} }
  const get = (key: string): string | null => (values[key] as string | undefined) ?? null
  const getNumber = (key: string, otherwise: number): number => {
    const number = Number(get(key) ?? otherwise)
    if (Number.isSafeInteger(number) && number > 0) return number
    throw new UsageError(`--${key} takes a whole number above 0, not '${get(key)}'`)
  }
  if (name === 'compare') {
    const [base, format] = [get('base'), get('export')]
    if (base === null) throw new UsageError('compare needs --base: a git ref or a directory')
    if (format !== null && format !== EXPORT) throw new UsageError(`--export takes ${EXPORT}, not '${format}'`)
    const tolerances = readTolerances((values['tolerance'] as string[] | undefined) ?? [])
    const [command, ...rest] = program
    if (command === undefined) throw new UsageError('Name a program after --, as in: -- node my-bench.mjs')
    const runs = getNumber('runs', RUNS)
    if (runs < MIN_RUNS) throw new UsageError(`--runs takes a whole number from ${MIN_RUNS} on, not '${runs}'`)
    const numbers = { ...tolerances, runs, cpu: values['cpu'] === true }
    const files = { prepare: get('prepare'), out: get('out') ?? 'bench-compare' }
    const flags = { isExported: format !== null, flagOnly: values['flag-only'] === true }
    return { name, options: { base, ...numbers, ...flags, ...files, program: [command, ...rest] } }
  }
  const [filter, payload] = [get('filter'), get('payload')]
  const mode = values['full'] ? FULL : QUICK
  const [slotMs, rounds] = [getNumber('slot', mode.slotMs), getNumber('rounds', mode.rounds)]
  const plan: Plan = { ...mode, rounds, slotMs }
  // Then the time of these rounds is all.
  if (get('rounds') !== null || (payload !== null && mode === QUICK)) plan.budgetMs = 0
  return {
    name,
    options: { plan, filter, payload, lines: values['lines'] === true, out: get('out') ?? 'bench-report' },
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

type Values = Record<string, string | boolean | (string | boolean)[] | undefined>

function parse(args: string[]): { name: Command['name']; values: Values } {
  const name: Command['name'] = COMMANDS.find(command => command === args[0]) ?? 'run'
  const known = getOptions(name)
  const entries = known.map(([key, { value, short, multiple = false }]) => {
    const type = value ? ('string' as const) : ('boolean' as const)
    return [key, { type, multiple, ...(short && { short }) }] as const
  })
  const options = Object.fromEntries(entries)
  const rest = name === 'run' ? args : args.slice(1)
  try {
    const { values, positionals } = parseArgs({ args: rest, options, allowPositionals: true })
    if (positionals.length === 0) return { name, values }
    const [first = ''] = positionals
    if (name === 'compare') throw new Error(`Name the program after --, as in: -- ${positionals.join(' ')}`)
    const remedy = existsSync(first) ? `Did you mean --payload ${first}?` : `The commands are: ${COMMANDS.join(', ')}`
    throw new Error(`Unknown command or argument '${first}'. ${remedy}`)
  } catch (error) {
    const { message } = error as Error
    const all = known.map(([key]) => `--${key}`).join(' ')
    throw new UsageError(message.replace(/^(Unknown option '.*?').*/s, `$1. The options are: ${all}`))
  }
}
