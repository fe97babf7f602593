// The command line: reads what is asked for, or says what is wrong with it and what there is instead.
import { parseArgs } from 'node:util'
import { readPackageInfo } from '../run/machine.js'
import { FULL, QUICK, type Plan } from '../run/plan.js'
import { didYouMean, readTable, UsageError } from '../shared/text.js'

export interface Options {
  plan: Plan
  filter: string | null
  /** Also scenarios that are measured only by name. */
  all: boolean
  out: string
  json: boolean
}

export interface CompareOptions extends Options {
  base: string
  /** A report.json, if `base` is one. */
  head: string | null
  /** A factor above 1. */
  tolerance: number
  /** The command that installs and builds a git ref; null for what its files ask for. */
  prepare: string | null
}

export type Command = { name: 'run' | 'list'; options: Options } | { name: 'compare'; options: CompareOptions }

/** A run that a signal has ended exits with 128 and the number of the signal. */
export const EXIT = { fine: 0, failed: 1, usage: 2, tooNoisy: 3 } as const

/**
 * The plan of a comparison. Twelve processes agree by chance once in 4096 times, which is rare enough for 20 figures. Twelve rounds are
 * twice the six orders of three sides. A checkout that takes half a minute to build leaves the usual comparison below four minutes.
 */
const COMPARE: Plan = { ...FULL, processes: 12, warmUpMs: 300, rounds: 12, slotMs: 12, budgetMs: 210_000 }

const OPTIONS = readTable(`
  --base <what>         | compare          | A git ref (checked out and built), a directory, or a report.json
  --head <file>         | compare          | A report.json to compare with that of --base, without measuring
  --tolerance <percent> | compare          | The slowdown to tolerate (default: 5%)
  --prepare <command>   | compare          | Installs and builds the checkout of a git ref
  --all                 | run              | Include the scenarios that are left out by default
  --quick               | run              | Less than a minute (default)
  --full                | run              | Longer, with less noise
  --filter <text>       | run compare      | Only paths scenario/case/arm that contain this text, or match /regex/
  --processes <n>       | run compare      | Number of processes, one after another
  --rounds <n>          | run compare      | Rounds in each process, preferably even
  --slot <ms>           | run compare      | Length of a measurement; the warm-up is proportional
  --out <dir>           | run compare      | Directory of the reports (default: bench-report, or bench-compare)
  --json                | run compare      | Print the report as JSON, and nothing else, to stdout
  --help, -h            | run list compare | Print this help
  --version, -v         | run list compare | Print the version
`).map(([usage, commands, text]) => ({ usage: usage!, commands: commands!.split(' '), text: text! }))

const COMMANDS = ['list', 'compare'] as const

const getHelp = (
  command: string,
): string => `sallyport-bench [command] [options]: measure what Sallyport costs on this machine

Commands:
  (none)                 Measure what Sallyport costs on this machine
  list                   List the scenarios
  compare                Check whether this version is slower than another one

Options:
${OPTIONS.filter(({ commands }) => commands.includes(command))
  .map(({ usage, text }) => `  ${usage.padEnd(21)}  ${text}`)
  .join('\n')}

Examples:
  $ sallyport-bench                         the main questions, in less than a minute
  $ sallyport-bench list                    all scenarios
  $ sallyport-bench --filter burst          one shape of traffic, in half a minute
  $ sallyport-bench --filter throughput/64  calls/s, compared with other libraries
  $ sallyport-bench --all --full            all scenarios, in twenty minutes
  $ sallyport-bench compare --base main     did this change make anything slower?

Exit codes: 0 success · 1 failed, or slower · 2 error in the command line · 3 too noisy to judge · 129, 130, 143 ended by a signal`

/** Returns `undefined` if the help or the version was requested, and has been printed. @throws {UsageError} if an option is wrong */
export function parseOptions(argv: readonly string[]): Command | undefined {
  const { name, texts, flags } = parse(argv.slice(2))
  if (flags['help'] || flags['version']) {
    console.info(flags['help'] ? getHelp(name) : `sallyport-bench/${readPackageInfo().version}`)
    return undefined
  }
  const { quick, full, all = false, json = false } = flags
  const twice = Object.keys(texts).find(key => texts[key]!.length > 1)
  if (twice !== undefined) throw new UsageError(`--${twice} can be given once`)
  const get = (key: string): string | undefined => texts[key]?.[0]
  const filter = get('filter')
  if (quick && full) throw new UsageError('--quick and --full exclude each other')
  if (all && filter !== undefined) throw new UsageError('--all and --filter exclude each other')
  const mode = name === 'compare' ? COMPARE : full ? FULL : QUICK
  const getNumber = (key: string, otherwise: number): number => {
    const number = Number(get(key) ?? otherwise)
    if (Number.isSafeInteger(number) && number > 0) return number
    throw new UsageError(`--${key} takes a whole number above 0, not '${get(key)}'`)
  }
  const slotMs = getNumber('slot', mode.slotMs)
  const [processes, rounds] = [getNumber('processes', mode.processes), getNumber('rounds', mode.rounds)]
  const plan: Plan = { ...mode, processes, rounds, slotMs, warmUpMs: (mode.warmUpMs * slotMs) / mode.slotMs }
  const out = get('out') ?? (name === 'compare' ? 'bench-compare' : 'bench-report')
  const options: Options = { plan, filter: filter ?? null, all, out, json }
  if (name !== 'compare') return { name, options }
  const [base, tolerance = '5%'] = [get('base'), get('tolerance')]
  if (base === undefined) throw new UsageError('compare needs --base: a git ref, a directory or a report.json')
  const percent = Number(/^(\d+(?:\.\d+)?) ?%$/.exec(tolerance)?.[1])
  if (!(percent > 0)) throw new UsageError(`--tolerance takes a percentage above 0, as in 5%, not '${tolerance}'`)
  const [head = null, prepare = null] = [get('head'), get('prepare')]
  return { name, options: { ...options, base, head, tolerance: 1 + percent / 100, prepare } }
}

/** Returns texts as they were written, even if they look like numbers: the commit 0123456, the directory 007. */
function parse(args: string[]) {
  const options = OPTIONS.map(({ usage }) => {
    const [, name, short] = /^--(\w+)(?:, -(\w))?/.exec(usage)!
    const type = usage.includes('<') ? ('string' as const) : ('boolean' as const)
    return [name!, { type, multiple: type === 'string', ...(short && { short }) }] as const
  })
  const config = { args, options: Object.fromEntries(options), allowPositionals: true }
  const [first] = parseArgs({ ...config, strict: false }).positionals
  const name: Command['name'] = COMMANDS.find(command => command === first) ?? 'run'
  const known = options.flatMap(([option], at) => (OPTIONS[at]!.commands.includes(name) ? [option] : []))
  try {
    const { values, positionals } = parseArgs(config)
    const unused = name === 'run' ? positionals : positionals.slice(1)
    if (unused.length > 0) {
      const hint = name === 'run' ? didYouMean(unused[0]!, COMMANDS) : ''
      throw new UsageError(
        `Unknown command or argument '${unused.join(' ')}'${hint}. The commands are: ${COMMANDS.join(', ')}`,
      )
    }
    const unknown = Object.keys(values).find(key => !known.includes(key))
    if (unknown !== undefined) throw new Error(`Unknown option '--${unknown}'`)
    const lists = Object.entries(values).filter(([, value]) => Array.isArray(value))
    const texts = Object.fromEntries(lists) as Record<string, string[]>
    return { name, texts, flags: values as Record<string, true | undefined> }
  } catch (error) {
    if (error instanceof UsageError) throw error
    const [message] = (error as Error).message.split('. ')
    const [, wrong] = /^Unknown option '-*(.*)'/.exec(message!) ?? []
    const hint = wrong === undefined ? '' : `${didYouMean(wrong, known)}. The options are: --${known.join(' --')}`
    throw new UsageError(message + hint)
  }
}
