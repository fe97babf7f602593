// The command line: reads what is asked for, or says what is wrong with it and what there is instead.
import { parseArgs } from 'node:util'
import { readPackageInfo } from '../run/package-info.js'
import { FULL, QUICK, type Plan } from '../run/plan.js'
import type { Additions } from '../scenarios/select.js'
import { readTable, UsageError } from '../shared/text.js'

/** What is measured, and for how long. */
export interface Options {
  plan: Plan
  filter: string | null
  /** Also scenarios that are measured only by name. */
  all: boolean
  out: string
  json: boolean
  /** Keeps every single latency. */
  raw: boolean
  additions: Additions
}

export interface CompareOptions extends Options {
  base: string
  /** As a factor above 1. */
  tolerance: number
  /** The command that installs and builds a git ref; null for what its files ask for. */
  prepare: string | null
}

export type Command = { name: 'run' | 'list'; options: Options } | { name: 'compare'; options: CompareOptions }

/** A run that a signal has ended exits with 128 and the number of the signal. */
export const EXIT = { fine: 0, failed: 1, usage: 2, tooNoisy: 3 } as const

/**
 * The plan of a regression check. It has many processes rather than many rounds, because processes differ: 12 of them agree
 * by chance once in 4096 times, which is as sure as 20 figures ask for. Six rounds are the six orders of three sides.
 */
export const COMPARE_PLAN: Plan = {
  mode: 'full',
  processes: 12,
  warmUpMs: 400,
  rounds: 6,
  slotMs: 15,
  budgetMs: 1_800_000,
}

const COMMANDS = {
  run: 'Measure what Sallyport costs on this machine (the default)',
  list: 'What there is to measure',
  compare: 'Has this version become slower than another one?',
}

const OPTIONS = readTable(`
  --base <what>         | compare          | A git ref (checked out and built), a directory, report.json or baseline.json
  --tolerance <percent> | compare          | How much slower is no regression yet (default: 5%)
  --prepare <command>   | compare          | Installs and builds the checkout of a git ref
  --scenario <file>     | run list compare | A module with scenarios of your own; may be repeated
  --payload <file>      | run list compare | A document of your own (JSON), sent through every pattern and codec; may be repeated
  --codec <file>        | run list compare | A module with a codec of your own, compared with the others; may be repeated
  --all                 | run              | Also what a run without a filter leaves out
  --quick               | run              | At most a minute (the default)
  --full                | run              | Longer and steadier
  --filter <text>       | run compare      | Only what has this in its path scenario/case/arm, or /regex/; see \`list\`
  --processes <n>       | run compare      | Fresh processes, one after the other
  --rounds <n>          | run compare      | Rounds in each of them; even numbers are fairest
  --slot <ms>           | run compare      | Length of a measurement; the warm-up is in proportion
  --out <dir>           | run compare      | Where the reports go (default: bench-report, or bench-compare)
  --json                | run compare      | Print the report as JSON to stdout, and nothing else there
  --raw                 | run              | Keep every single latency, in samples.ndjson
  -h, --help            | run list compare | Display this message
  -v, --version         | run list compare | Display the version
`).map(([usage, commands, text]) => {
  const name = /--(\w+)/.exec(usage!)![1]!
  const type = usage!.includes('<') ? ('string' as const) : ('boolean' as const)
  return { usage: usage!, name, type, commands: commands!.split(' '), text: text! }
})

const EXAMPLES = `
  $ sallyport-bench                         the main questions, in less than a minute
  $ sallyport-bench list                    everything that can be measured
  $ sallyport-bench --filter throughput     one scenario: calls/s next to other libraries
  $ sallyport-bench --filter throughput/64  one case of it
  $ sallyport-bench --filter msgpack        one kind of arm, with the reference
  $ sallyport-bench --all --full            everything, steady: twenty minutes
  $ sallyport-bench --payload order.json    what your own document costs
  $ sallyport-bench compare --base main     did this change make anything slower?
  $ sallyport-bench --filter '/^(sandbox|memory)/' --processes 5`

function describeCommand(command: string): string {
  const options = OPTIONS.filter(({ commands }) => commands.includes(command))
  return `sallyport-bench [command] [options]: measure what Sallyport costs on this machine

Commands:
${Object.entries(COMMANDS)
  .map(([name, text]) => `  ${name.padEnd(21)}  ${text}`)
  .join('\n')}

Options:
${options.map(({ usage, text }) => `  ${usage.padEnd(21)}  ${text}`).join('\n')}

Examples:${EXAMPLES}

Exit codes: 0 fine · 1 something failed, or is slower · 2 usage · 3 too noisy to judge · 130 interrupted`
}

/**
 * @param argv - as in `process.argv`
 * @returns `undefined` if the help or the version was asked for, and has been printed
 * @throws {UsageError} if something is wrong
 */
export function parseOptions(argv: readonly string[]): Command | undefined {
  const { name, values } = parse(argv.slice(2))
  if (values['help'] !== undefined || values['version'] !== undefined) {
    console.info(values['help'] === undefined ? `sallyport-bench/${readPackageInfo().version}` : describeCommand(name))
    return undefined
  }
  const { quick, full, all = false, json = false, raw = false } = values as Record<string, true | undefined>
  const { scenario = [], payload = [], codec = [], ...once } = values as Record<string, string[]>
  const additions: Additions = { scenarios: scenario, payloads: payload, codecs: codec }
  const twice = Object.entries(once).find(([, given]) => given.length > 1)
  if (twice) throw new UsageError(`--${twice[0]} can be given once`)
  const [filter, base, tolerance = '5%', prepare] = ['filter', 'base', 'tolerance', 'prepare'].map(
    key => once[key]?.[0],
  )
  if (quick && full) throw new UsageError('--quick and --full exclude each other')
  if (all && filter !== undefined) throw new UsageError('--all and --filter exclude each other')
  const mode = name === 'compare' ? COMPARE_PLAN : full ? FULL : QUICK
  const positive = (key: string, otherwise: number): number => {
    const [text] = once[key] ?? [String(otherwise)]
    if (/^\d+$/.test(text!) && Number(text) > 0 && Number.isSafeInteger(Number(text))) return Number(text)
    throw new UsageError(`--${key} takes a whole number above 0, not '${text}'`)
  }
  const slotMs = positive('slot', mode.slotMs)
  const plan: Plan = {
    ...mode,
    processes: positive('processes', mode.processes),
    rounds: positive('rounds', mode.rounds),
    slotMs,
    warmUpMs: (mode.warmUpMs * slotMs) / mode.slotMs,
  }
  const out = once['out']?.[0] ?? (name === 'compare' ? 'bench-compare' : 'bench-report')
  const options: Options = { plan, filter: filter ?? null, all, out, json, raw, additions }
  if (name !== 'compare') return { name, options }
  if (base === undefined)
    throw new UsageError('compare needs --base: a git ref, a directory, report.json or baseline.json')
  const percent = Number(/^(\d+(?:\.\d+)?) ?%$/.exec(tolerance)?.[1])
  if (!(percent > 0)) throw new UsageError(`--tolerance takes a percentage above 0, as in 5%, not '${tolerance}'`)
  return { name, options: { ...options, base, tolerance: 1 + percent / 100, prepare: prepare ?? null } }
}

/** Values are texts, even if they look like numbers: the commit 0123456, the directory 007. */
function parse(args: string[]): { name: Command['name']; values: Record<string, true | string[] | undefined> } {
  const shorts: Record<string, { short: string }> = { help: { short: 'h' }, version: { short: 'v' } }
  const options = Object.fromEntries(
    OPTIONS.map(({ name, type }) => [name, { type, multiple: type === 'string', ...shorts[name] }]),
  )
  const [first] = parseArgs({ args, options, allowPositionals: true, strict: false }).positionals
  const name = first === 'list' || first === 'compare' ? first : 'run'
  const known = OPTIONS.filter(({ commands }) => commands.includes(name)).map(option => option.name)
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const unused = name === 'run' ? positionals : positionals.slice(1)
    if (unused.length > 0) throw new Error(`Unused args: ${unused.join(' ')}`)
    const unknown = Object.keys(values).find(key => !known.includes(key))
    if (unknown !== undefined) throw new Error(`Unknown option '--${unknown}'`)
    return { name, values: values as Record<string, true | string[]> }
  } catch (error) {
    const [message] = (error as Error).message.split('. ')
    const hint = message!.startsWith('Unknown option') ? `. There are ${known.map(one => `--${one}`).join(' ')}` : ''
    throw new UsageError(message + hint)
  }
}
