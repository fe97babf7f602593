// The entry `@sallyport/protocol/internal/command-line`: what `sallyport`, `sallyport-bench` and `sallyport-compare` have in common. Each describes
// its commands in a table, from which their help and the reading of a command line are made.
import { parseArgs } from 'node:util'
import { didYouMean } from './errors/suggest.js'

/** A mistake in the command line. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** By name: what the help calls the value, and its text. An option without a value is a flag. */
export type Options = Readonly<Record<string, readonly [value: string | null, text: string]>>

export interface Command {
  /** What follows its name. */
  usage: string
  about: string
  options?: Options
  /** Examples and exit codes, below the options. */
  notes: string
  /** How many words it takes beside its options. @default 0 */
  words?: number
  /** True if it takes a program after `--`. */
  program?: true
}

export interface CommandSet {
  name: string
  version: string
  /** By the word that calls it. The one with an empty word is called without one. */
  commands: Readonly<Record<string, Command>>
}

/** The values of each option in their order; of a flag, an empty text. */
export type Values = Partial<Record<string, string[]>>

export type CommandLine =
  | { print: string }
  | { print?: never; command: string; words: string[]; values: Values; program: string[] }

/** Every command has them, with a short form. */
const COMMON: Options = { help: [null, 'Print this help'], version: [null, 'Print the version'] }
const COLUMNS = 80

/**
 * Reads the arguments, without Node.js and its script. `print` is the help or the version, if they ask for one.
 *
 * @throws {UsageError} that names the mistake and what is near it
 */
export function readCommandLine(set: CommandSet, argv: readonly string[]): CommandLine {
  const [first = '', ...others] = argv
  if (first === 'help') return { print: getHelp(set, others[0]) }
  const name = first !== '' && Object.hasOwn(set.commands, first) ? first : ''
  const command = set.commands[name] ?? { usage: '', about: '', notes: '' }
  const { words, values, program } = readArguments(set, name, command, name === '' ? argv : others)
  if (values['help']) return { print: getHelp(set, name) }
  if (values['version']) return { print: `${set.name} ${set.version}` }
  const [word = ''] = words
  if (name === '' && word !== '' && Object.hasOwn(set.commands, word))
    throw new UsageError(`The command '${word}' must come first. ${toHelp(set, word)}`)
  if (!Object.hasOwn(set.commands, name))
    throw words[0] === undefined ? missingCommand(set) : unknownWord(set, words[0])
  const further = words[command.words ?? 0] ?? (command.program ? undefined : program[0])
  if (further !== undefined) throw unknownWord(set, further, name)
  return { command: name, words, values, program }
}

/** An error of a word that is neither a command nor an argument. */
export function unknownWord(set: CommandSet, word: string, name = ''): UsageError {
  const kind = name === '' ? 'command' : 'argument'
  const remedy = set.commands[name]?.program ? '. The program comes after --' : ''
  const near = name === '' ? didYouMean(word, namesOf(set)) : remedy
  return new UsageError(`Unknown ${kind} '${word}'${near}. ${toHelp(set, name)}`)
}

/** @throws {UsageError} unless it is a whole number from `least` on */
export function readNumber(values: Values, name: string, otherwise: number, least = 1): number {
  const number = Number(values[name]?.at(-1) ?? otherwise)
  if (Number.isSafeInteger(number) && number >= least) return number
  throw new UsageError(`--${name} takes a whole number from ${least} on, not '${values[name]?.at(-1)}'`)
}

/** Splits a text into lines, between words. */
export function wrap(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + word.length >= width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}

const namesOf = ({ commands }: CommandSet): string[] => [...Object.keys(commands).filter(Boolean), 'help']
const toCall = (set: CommandSet, name: string): string => `${set.name} ${name}`.trimEnd()
const toHelp = (set: CommandSet, name: string): string => `Run ${toCall(set, name)} --help`

const missingCommand = (set: CommandSet): UsageError =>
  new UsageError(`A command is missing: ${namesOf(set).join(', ')}. ${toHelp(set, '')}`)

function readArguments(
  set: CommandSet,
  name: string,
  command: Command,
  argv: readonly string[],
): { words: string[]; values: Values; program: string[] } {
  const options = { ...command.options, ...COMMON }
  const end = argv.indexOf('--')
  const [args, program] = end < 0 ? [argv, []] : [argv.slice(0, end), argv.slice(end + 1)]
  const entries = Object.entries(options).map(([option, [value]]) => {
    const type = value ? ('string' as const) : ('boolean' as const)
    return [option, { type, multiple: true, ...(option in COMMON && { short: option[0]! }) }] as const
  })
  try {
    const config = { args: joinNumbers(args, options), options: Object.fromEntries(entries) }
    const { positionals, values } = parseArgs({ ...config, allowPositionals: true })
    return { words: positionals, values: values as Values, program }
  } catch (error) {
    throw new UsageError(`${toOptionText((error as Error).message, Object.keys(options))}. ${toHelp(set, name)}`)
  }
}

/** Node.js refuses `--slot -1` as two options. */
function joinNumbers(args: readonly string[], options: Options): string[] {
  const joined: string[] = []
  for (const arg of args) {
    const last = joined.at(-1)
    const isValue = last?.startsWith('--') === true && Boolean(options[last.slice(2)]?.[0])
    if (isValue && /^-\d/.test(arg)) joined[joined.length - 1] = `${last}=${arg}`
    else joined.push(arg)
  }
  return joined
}

/** Says in our words what Node.js says in several lines. */
function toOptionText(message: string, options: readonly string[]): string {
  const [line = ''] = message.split('\n')
  const [, unknown] = /^Unknown option '(.*?)'/.exec(line) ?? []
  const known = options.map(option => `--${option}`)
  if (unknown !== undefined) return `Unknown option '${unknown}'${didYouMean(unknown, known)}`
  return line
    .replace(/\.$/, '')
    .replace(/argument is ambiguous$/, 'needs a value. Write one that begins with a dash after a =')
}

/** @throws {UsageError} if there is no such command */
function getHelp(set: CommandSet, name = ''): string {
  const command = Object.hasOwn(set.commands, name) ? set.commands[name] : undefined
  if (command) return describeCommand(set, name, command)
  if (name !== '' && name !== 'help') throw unknownWord(set, name)
  return [
    `${set.name} <command> [options]`,
    ...toColumns(Object.entries(set.commands).map(([word, { about }]) => [word, about])),
    `${set.name} <command> --help prints the options of a command`,
  ].join('\n')
}

function describeCommand(set: CommandSet, name: string, { usage, about, options, notes }: Command): string {
  const rows = Object.entries({ ...options, ...COMMON }).map(
    ([option, [value, text]]) =>
      [`--${option}${value ? ` <${value}>` : ''}${option in COMMON ? `, -${option[0]}` : ''}`, text] as const,
  )
  const others = Object.entries(set.commands).filter(([word]) => name === '' && word !== '')
  return [
    ...wrap(`${toCall(set, name)} ${usage}: ${about}`, COLUMNS),
    ...(others.length > 0 ? ['', 'Commands:', ...toColumns(others.map(([word, other]) => [word, other.about]))] : []),
    ...['', 'Options:', ...toColumns(rows)],
    ...['', ...notes.split('\n').flatMap(line => (line.startsWith(' ') ? [line] : wrap(line, COLUMNS)))],
  ].join('\n')
}

function toColumns(rows: readonly (readonly [name: string, text: string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.flatMap(([name, text]) =>
    wrap(text, COLUMNS - width - 4).map((line, index) => `  ${(index === 0 ? name : '').padEnd(width)}  ${line}`),
  )
}
