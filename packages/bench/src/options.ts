// The command line: what was asked for, or a sentence about what is wrong with it and what there is instead.
import { cac } from 'cac'
import { FULL, QUICK, type Plan } from './plan.js'
import { readPackageInfo } from './package-info.js'

export interface Options {
  plan: Plan
  filter: string | null
  out: string
  json: boolean
}

/** A mistake of whoever typed the command: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

type Flags = Partial<Record<'quick' | 'full' | 'json' | 'help' | 'version', boolean>> & {
  filter?: string | number
  out?: string
  rounds?: number
  slot?: number
}

const EXAMPLES = [
  'sallyport-bench                        all of it, in less than a minute',
  'sallyport-bench --filter call/         one scenario',
  'sallyport-bench --filter msgpack       one kind of arm, with the reference',
  'sallyport-bench --filter link          the links against their goals, beside other libraries: three minutes',
  'sallyport-bench --filter link-quiet    one scenario of them',
  'sallyport-bench --filter sandbox       what each sandbox costs: calls, start, memory',
  'sallyport-bench --filter cipher        what the cipher costs, from 64 B to 1 MiB',
  "sallyport-bench --filter '/^call.*json/' --full",
]

/**
 * @param argv as in `process.argv`
 * @returns `undefined` when help or the version was asked for, and has been printed
 * @throws UsageError
 */
export function parseOptions(argv: readonly string[]): Options | undefined {
  const cli = cac('sallyport-bench')
  cli
    .command('', 'Measure what Sallyport costs on this machine')
    .option('--quick', 'At most a minute (the default)')
    .option('--full', 'Longer and steadier: about eight minutes')
    .option(
      '--filter <text>',
      'Only what has this in its path scenario/case/arm; or /regex/. What is called link-…, sandbox-… or cipher-… is measured only where it says so',
    )
    .option('--out <dir>', 'Where report.json and report.md go (default: bench-report)')
    .option('--json', 'Print report.json to stdout, and nothing else there')
    .option('--rounds <n>', 'Rounds; even numbers are fairest')
    .option('--slot <ms>', 'Length of a measurement; the warm-up is in proportion')
  cli.help(sections => [
    { body: 'sallyport-bench [options]: measure what Sallyport costs on this machine' },
    ...sections.filter(({ title }) => title === 'Options'),
    { title: 'Examples', body: EXAMPLES.map(line => `  $ ${line}`).join('\n') },
    { body: 'Exit codes: 0 measured · 1 something failed · 2 usage · 130 interrupted' },
  ])
  cli.version(readPackageInfo().version)
  try {
    const { options } = cli.parse([...argv], { run: false })
    if (options['help'] || options['version']) return undefined
    cli.matchedCommand?.checkUnknownOptions()
    cli.matchedCommand?.checkOptionValue()
    cli.matchedCommand?.checkUnusedArgs()
    return readFlags(options as Flags)
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { message } = error as Error
    if (!message.startsWith('Unknown option')) throw new UsageError(message)
    const known = cli.matchedCommand?.options.map(({ rawName }) => rawName.split(' ')[0])
    throw new UsageError(`${message}. There are ${known?.join(' ')} --help --version`)
  }
}

function readFlags({ quick, full, filter, out = 'bench-report', json = false, rounds, slot }: Flags): Options {
  if (quick && full) throw new UsageError('--quick and --full exclude each other')
  const once = Object.entries({ filter, out, rounds, slot }).find(([, value]) => Array.isArray(value))
  if (once) throw new UsageError(`--${once[0]} can be given once`)
  const mode = full ? FULL : QUICK
  const slotMs = positive('--slot', slot, mode.slotMs)
  const plan: Plan = {
    ...mode,
    rounds: positive('--rounds', rounds, mode.rounds),
    slotMs,
    warmUpMs: (mode.warmUpMs * slotMs) / mode.slotMs,
  }
  return { plan, filter: filter === undefined ? null : String(filter), out: String(out), json }
}

function positive(name: string, value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number
  throw new UsageError(`${name} takes a whole number above 0, not '${String(value)}'`)
}
