// The command line: reads it, or reports what is wrong with it and what is possible instead.
import {
  type CommandSet,
  type Options as OptionTable,
  readCommandLine,
  readNumber,
  unknownWord,
  UsageError,
} from '@sallyport/protocol/internal/command-line'
import { existsSync } from 'node:fs'
import { readPackageInfo } from '../run/machine.js'
import { FULL, type Plan, QUICK } from '../run/run.js'

export interface Options {
  plan: Plan
  filter: string | null
  /** A file with the user's payloads, which are measured in place of the scenarios. */
  payload: string | null
  /** Prints each figure as a line of JSON for a comparison, and measures only what the filter selects. */
  lines: boolean
  /** Shows all answers and tables, and not only the first. */
  all: boolean
  out: string
}

type Command = { name: 'run'; options: Options } | { name: 'list' }

const OPTIONS: OptionTable = {
  payload: ['file', 'Measure your document (.json), bytes, or module of cases'],
  full: [null, 'Minutes instead of about one: more scenarios, with less noise'],
  all: [null, 'Show every table, and not only the first answers'],
  lines: [null, 'Print a line of JSON for each figure, as sallyport-compare reads it'],
  filter: ['text', 'Only paths scenario/case/arm that match, as a regular expression'],
  rounds: ['n', 'Rounds in each process, preferably even'],
  slot: ['ms', 'Length of a measurement'],
  out: ['dir', 'Directory of the reports'],
}

const EXIT_CODES = 'Exit codes: 0 success · 1 failed · 2 error · 3 too noisy to judge · 129, 130, 143 ended by a signal'

const EXAMPLES = `Examples:
  $ sallyport-bench                         the main questions, in 90 s
  $ sallyport-bench --payload order.json    which transport is best for it?
  $ sallyport-bench list                    all scenarios
  $ sallyport-bench --filter sizes          from which size does a codec gain?
  $ sallyport-bench --filter throughput/64  calls/s, beside other libraries`

const COMMANDS: CommandSet = {
  name: 'sallyport-bench',
  version: readPackageInfo().version,
  commands: {
    '': {
      usage: '[command] [options]',
      about: 'measure what Sallyport costs on this machine',
      options: OPTIONS,
      notes: `${EXAMPLES}\n\n${EXIT_CODES}`,
      words: 1,
    },
    list: { usage: '[options]', about: 'list the scenarios', notes: EXIT_CODES },
  },
}

/** Returns `undefined` after it has printed the help or the version. @throws {UsageError} if an option is wrong */
export function parseOptions(argv: readonly string[]): Command | undefined {
  const line = readCommandLine(COMMANDS, argv)
  if (line.print !== undefined) {
    console.info(line.print)
    return undefined
  }
  const { command, values, words } = line
  if (command === 'list') return { name: 'list' }
  const [unknown] = words
  if (unknown !== undefined) {
    if (!existsSync(unknown)) throw unknownWord(COMMANDS, unknown)
    throw new UsageError(`Unknown command '${unknown}'. Did you mean --payload ${unknown}?`)
  }
  const get = (key: string): string | null => values[key]?.at(-1) ?? null
  const [filter, payload] = [get('filter'), get('payload')]
  const [lines, all] = [values['lines'] !== undefined, values['all'] !== undefined]
  const mode = values['full'] ? FULL : QUICK
  const plan: Plan = {
    ...mode,
    rounds: readNumber(values, 'rounds', mode.rounds),
    slotMs: readNumber(values, 'slot', mode.slotMs),
  }
  // Then the time of these rounds is all.
  if (values['rounds'] || (payload !== null && mode === QUICK)) plan.budgetMs = 0
  return { name: 'run', options: { plan, filter, payload, lines, all, out: get('out') ?? 'bench-report' } }
}
