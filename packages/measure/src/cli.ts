// What every command has in common: its options from a table, its help, and how it ends.
import { parseArgs } from 'node:util'
import { Interrupted } from './output.js'
import { wrap } from './screen.js'
import { plain, UsageError } from './text.js'

/** By name: what the help calls the value, and its text. An option without a value is a flag. */
export type Options = Readonly<Record<string, readonly [value: string | null, text: string]>>

/** They have a short form. */
export const COMMON: Options = { help: [null, 'Print this help'], version: [null, 'Print the version'] }

/** The lines of the help. */
export const describeOptions = (options: Options): string =>
  Object.entries(options)
    .map(([name, [value, text]]) => {
      const usage = `--${name}${value ? ` <${value}>` : ''}${name in COMMON ? `, -${name[0]}` : ''}`
      return `  ${usage.padEnd(21)}  ${text}`
    })
    .join('\n')

/** The values of each option in their order; of a flag, an empty text. */
export type Values = Partial<Record<string, string[]>>

/** @throws {UsageError} of an unknown option, with those that are known */
export function readArguments(options: Options, args: readonly string[]): { positionals: string[]; values: Values } {
  const entries = Object.entries(options).map(([name, [value]]) => {
    const type = value ? ('string' as const) : ('boolean' as const)
    return [name, { type, multiple: true, ...(name in COMMON && { short: name[0]! }) }] as const
  })
  try {
    const parsed = parseArgs({ args: [...args], options: Object.fromEntries(entries), allowPositionals: true })
    return parsed as ReturnType<typeof readArguments>
  } catch (error) {
    const known = Object.keys(options).map(name => `--${name}`)
    const { message } = error as Error
    throw new UsageError(message.replace(/^(Unknown option '.*?').*/s, `$1. The options are: ${known.join(' ')}`))
  }
}

/** @throws {UsageError} unless it is a whole number from `least` on */
export function readNumber(values: Values, name: string, otherwise: number, least = 1): number {
  const number = Number(values[name]?.at(-1) ?? otherwise)
  if (Number.isSafeInteger(number) && number >= least) return number
  throw new UsageError(`--${name} takes a whole number from ${least} on, not '${values[name]?.at(-1)}'`)
}

/** Runs a command and sets its exit code: that which it returns, or 2 after any error. 1 is a verdict. */
export async function runCommand(name: string, run: () => Promise<number>): Promise<void> {
  // The reader of a pipe can close it (`2>&1 | head`); the reports are still written.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  try {
    process.exitCode = await run()
  } catch (error) {
    if (error instanceof Interrupted) {
      process.stderr.write(`\n${error.message}\n`)
      process.exit(error.exitCode)
    }
    // A full disk is no fault of the code.
    const isKnown = error instanceof UsageError || (error instanceof Error && 'syscall' in error)
    // Git and npm can have written parts of it.
    const text = plain(isKnown ? error.message : String(error instanceof Error ? error.stack : error))
    const columns = process.stderr.columns || Infinity
    const lines = `${name}: ${text}`.split('\n')
    process.stderr.write(`${(isKnown ? lines.flatMap(line => wrap(line, columns)) : lines).join('\n')}\n`)
    process.exitCode = 2
  }
}
