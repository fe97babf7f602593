// The command line: reads it, or reports what is wrong with it and what is possible instead.
import type { Options as OptionTable } from '#measure/cli'
import { COMMON, describeOptions, readArguments, readNumber } from '#measure/cli'
import { UsageError } from '#measure/text'
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
  ...COMMON,
}

const getHelp = (
  options: OptionTable,
): string => `sallyport-bench [command] [options]: measure what Sallyport costs on this machine

Commands:
  (none)  Measure what Sallyport costs on this machine
  list    List the scenarios

Options:
${describeOptions(options)}

Examples:
  $ sallyport-bench                         the main questions, in about 90 seconds
  $ sallyport-bench --payload order.json    which transport is best for your document?
  $ sallyport-bench list                    all scenarios
  $ sallyport-bench --filter sizes          from which size on does a codec gain?
  $ sallyport-bench --filter throughput/64  calls/s, compared with other libraries

Exit codes: 0 success · 1 failed · 2 error · 3 too noisy to judge · 129, 130, 143 ended by a signal`

/** Returns `undefined` after it has printed the help or the version. @throws {UsageError} if an option is wrong */
export function parseOptions([first = '', ...others]: readonly string[]): Command | undefined {
  const isList = first === 'list'
  const [options, args] = isList ? [COMMON, others] : [OPTIONS, [first, ...others].filter(Boolean)]
  const { positionals, values } = readArguments(options, args)
  const [unknown] = positionals
  if (unknown !== undefined) {
    const remedy = existsSync(unknown) ? `Did you mean --payload ${unknown}?` : 'The command is: list'
    throw new UsageError(`Unknown command or argument '${unknown}'. ${remedy}`)
  }
  if (values['help'] || values['version']) {
    console.info(values['help'] ? getHelp(options) : `sallyport-bench/${readPackageInfo().version}`)
    return undefined
  }
  if (isList) return { name: 'list' }
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
