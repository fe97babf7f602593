// The command line: what was asked for, or a sentence about what is wrong with it and what there is instead.
import { cac, type CAC } from 'cac'
import type { Additions } from './additions.js'
import { FULL, QUICK, type Plan } from '../run/plan.js'
import { readPackageInfo } from '../run/machine.js'
import { EXAMPLES, EXIT_CODES } from './help.js'
import { UsageError } from './usage.js'
import { GATE, readComparison, withComparison, type CompareOptions } from '../compare/options.js'

/** What is measured, and for how long. */
export interface Options {
  plan: Plan
  filter: string | null
  /** Scenarios that have to be named, too. */
  all: boolean
  out: string
  json: boolean
  /** Keeps every single latency. */
  raw: boolean
  additions: Additions
}

export type Command = { name: 'run' | 'list'; options: Options } | { name: 'compare'; options: CompareOptions }

type Flags = Partial<Record<'quick' | 'full' | 'all' | 'json' | 'raw', boolean>> &
  Partial<Record<'filter' | 'out' | 'rounds' | 'processes' | 'slot' | 'scenario' | 'payload' | 'codec', unknown>>

type CacCommand = ReturnType<CAC['command']>

const withFiles = (command: CacCommand): CacCommand =>
  command
    .option('--scenario <file>', 'A module with scenarios of your own; may be repeated')
    .option('--payload <file>', 'A document of your own (JSON), sent through every pattern and codec; may be repeated')
    .option('--codec <file>', 'A module with a codec of your own, beside the others; may be repeated')

const withPlan = (command: CacCommand): CacCommand =>
  withNumbers(
    command
      .option('--all', 'Also what a run without a filter leaves out')
      .option('--quick', 'At most a minute (the default)')
      .option('--full', 'Longer and steadier'),
  )

const withNumbers = (command: CacCommand): CacCommand =>
  command
    .option('--filter <text>', 'Only what has this in its path scenario/case/arm, or /regex/; see `list`')
    .option('--processes <n>', 'Fresh processes, one after the other')
    .option('--rounds <n>', 'Rounds in each of them; even numbers are fairest')
    .option('--slot <ms>', 'Length of a measurement; the warm-up is in proportion')

const FOLDERS = { run: 'bench-report', compare: 'bench-compare' } as const

const withOutput = (command: CacCommand, name: keyof typeof FOLDERS): CacCommand =>
  command
    .option('--out <dir>', `Where the reports go (default: ${FOLDERS[name]})`)
    .option('--json', 'Print the report as JSON to stdout, and nothing else there')

/**
 * @param argv as in `process.argv`
 * @returns `undefined` when help or the version was asked for, and has been printed
 * @throws UsageError
 */
export function parseOptions(argv: readonly string[]): Command | undefined {
  const cli = cac('sallyport-bench')
  withFiles(cli.command('list', 'What there is to measure'))
  withOutput(
    withNumbers(withFiles(withComparison(cli.command('compare', 'Has this version become slower than another one?')))),
    'compare',
  )
  withOutput(withPlan(withFiles(cli.command('', 'Measure what Sallyport costs on this machine'))), 'run').option(
    '--raw',
    'Keep every single latency, in samples.ndjson',
  )
  cli.help(sections => [
    { body: 'sallyport-bench [command] [options]: measure what Sallyport costs on this machine' },
    ...sections.filter(({ title }) => title === 'Commands' || title === 'Options'),
    { title: 'Examples', body: EXAMPLES.map(line => `  $ ${line}`).join('\n') },
    { body: EXIT_CODES },
  ])
  cli.version(readPackageInfo().version)
  try {
    const options = asWritten(argv, cli.parse([...argv], { run: false }).options)
    if (options['help'] || options['version']) return undefined
    cli.matchedCommand?.checkUnknownOptions()
    cli.matchedCommand?.checkOptionValue()
    cli.matchedCommand?.checkUnusedArgs()
    if (cli.matchedCommandName === 'compare') {
      return { name: 'compare', options: { ...readFlags(options, GATE, FOLDERS.compare), ...readComparison(options) } }
    }
    return { name: cli.matchedCommandName === 'list' ? 'list' : 'run', options: readFlags(options as Flags) }
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { message } = error as Error
    if (!message.startsWith('Unknown option')) throw new UsageError(message)
    const known = cli.matchedCommand?.options.map(({ rawName }) => rawName.split(' ')[0])
    throw new UsageError(`${message}. There are ${known?.join(' ')} --help --version`)
  }
}

const TEXTS = ['filter', 'out', 'scenario', 'payload', 'codec', 'base', 'prepare']

/** What looks like a number comes as one, and is a text all the same: the commit 0123456, the folder 007. */
function asWritten(argv: readonly string[], options: Record<string, unknown>): Record<string, unknown> {
  const given = (name: string): string[] =>
    argv.flatMap((arg, at) =>
      arg === `--${name}` ? [argv[at + 1]!] : arg.startsWith(`--${name}=`) ? [arg.slice(name.length + 3)] : [],
    )
  const numbers = TEXTS.filter(name => [options[name]].flat().some(value => typeof value === 'number'))
  const texts = numbers.map(name => [name, given(name).length > 1 ? given(name) : given(name)[0]])
  return { ...options, ...Object.fromEntries(texts) }
}

function readFlags(flags: Flags, usual?: Plan, folder: string = FOLDERS.run): Options {
  const { quick = false, full = false, all = false, json = false, raw = false, out = folder } = flags
  const { filter, rounds, slot, processes } = flags
  if (quick && full) throw new UsageError('--quick and --full exclude each other')
  if (all && filter !== undefined) throw new UsageError('--all and --filter exclude each other')
  const once = Object.entries({ filter, out, rounds, slot, processes }).find(([, value]) => Array.isArray(value))
  if (once) throw new UsageError(`--${once[0]} can be given once`)
  const mode = usual ?? (full ? FULL : QUICK)
  const slotMs = positive('--slot', slot, mode.slotMs)
  const plan: Plan = {
    ...mode,
    processes: positive('--processes', processes, mode.processes),
    rounds: positive('--rounds', rounds, mode.rounds),
    slotMs,
    warmUpMs: (mode.warmUpMs * slotMs) / mode.slotMs,
  }
  const additions: Additions = {
    scenarios: listOf(flags.scenario),
    payloads: listOf(flags.payload),
    codecs: listOf(flags.codec),
  }
  return { plan, filter: filter === undefined ? null : String(filter), all, out: String(out), json, raw, additions }
}

const listOf = (value: unknown): string[] => (value === undefined ? [] : [value].flat().map(String))

function positive(name: string, value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number
  throw new UsageError(`${name} takes a whole number above 0, not '${String(value)}'`)
}
