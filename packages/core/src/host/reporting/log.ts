// The bus's log: the host's pino logger, to which core and the gates send their lines. Control characters are escaped, because
// terminals obey them: frontends could send them in a name, an error or their output.
import { createRequire } from 'node:module'
import { stripVTControlCharacters } from 'node:util'
import type { Logger } from 'pino'

export type { Logger }

/** What a host uses of a logger. */
export type HostLog = Pick<Logger, LogLevel | 'level'>

const require = createRequire(import.meta.url)

/** Pino takes as long to load as a worker to start. A host that only starts and stops logs nothing. */
const loadPino = (): typeof import('pino') => require('pino') as typeof import('pino')

/** The lowest level that is logged. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

export type LogOption = Logger | LogLevel | false | undefined

/** True if the log and the output of frontends go to standard error. */
export const isDefaultLog = (log: LogOption): log is LogLevel | undefined =>
  log === undefined || typeof log === 'string'

/** Creates the log. By default warnings and errors, in development `info` too, go to standard error: as text to a terminal, else as JSON. */
export function createHostLog(log: LogOption, dev = false): HostLog {
  if (log === false) return createLazyLog('silent')
  if (!isDefaultLog(log)) return log
  const write = process.stderr.isTTY
    ? createTerminalLog(writeToStderr)
    : (line: string) => writeToStderr(escapeLine(line))
  return createLazyLog(log ?? (dev ? 'info' : 'warn'), write)
}

/** Returns a logger that creates pino's with the first line of its level. */
function createLazyLog(level: LogLevel, write: (line: string) => void = () => {}): HostLog {
  let log: Logger | undefined
  const entries = LOG_LEVELS.map((name, index) => {
    if (index < LOG_LEVELS.indexOf(level)) return [name, () => {}]
    const method = (...args: [object, string]): void => {
      log ??= loadPino().pino({ name: 'sallyport', level }, { write })
      log[name](...args)
    }
    return [name, method]
  })
  return { ...(Object.fromEntries(entries) as Omit<HostLog, 'level'>), level }
}

let stderr: { write(text: string): unknown } | undefined

/** Writes at once, so that a process that exits or crashes loses nothing, and ignores a closed pipe. */
export function writeToStderr(text: string): void {
  stderr ??= loadPino().destination({ dest: 2, sync: true })
  stderr.write(text)
}

interface LogLine {
  level: number
  time: number
  msg?: string
  worker?: string
  label?: string
  err?: { stack?: unknown; message?: unknown }
  [field: string]: unknown
}

/** Writes a line of core's pino to the host's log. */
export function forwardLine(log: HostLog, line: string): void {
  const { level, time: _time, pid: _pid, hostname: _hostname, msg, ...fields } = JSON.parse(line) as LogLine
  const method = loadPino().levels.labels[level] ?? 'info'
  if (method in log) log[method as 'info'](fields, msg)
}

const WARN = 40
const REPEAT_INTERVAL_MS = 1000
/** Different texts that are compared at a time. */
const MAX_REPEATED = 1000

/**
 * Returns a function that takes lines of pino and writes them as text. A warning that repeats within a second is written once, and
 * how often it was repeated when the second is over, or the process exits.
 */
export function createTerminalLog(write: (text: string) => void): (line: string) => void {
  const repeated = new Map<string, number>()
  let lastStack = ''
  let timer: NodeJS.Timeout | undefined

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    process.off('exit', flush)
    for (const [event, count] of repeated) if (count > 0) write(`${formatTime(Date.now())} ${event} (${count} more)\n`)
    repeated.clear()
  }

  return line => {
    const { level, time, name: _name, pid: _pid, hostname: _hostname, err, ...rest } = JSON.parse(line) as LogLine
    const event = formatEvent(level, rest)
    if (level >= WARN && !err) {
      const count = repeated.get(event)
      if (count !== undefined) return void repeated.set(event, count + 1)
      if (repeated.size < MAX_REPEATED) repeated.set(event, 0)
      if (!timer) {
        timer = setTimeout(flush, REPEAT_INTERVAL_MS).unref()
        process.once('exit', flush)
      }
    }
    const [title = '', ...frames] = toLines(String(err?.stack ?? err?.message ?? err ?? ''))
    const stack = frames.join('')
    const isRepeated = stack === lastStack
    if (stack !== '') lastStack = stack
    write(`${formatTime(time)} ${event}${title && `: ${title}`}\n${isRepeated ? '' : stack}`)
  }
}

const formatTime = (time: number): string => new Date(time).toTimeString().slice(0, 8)

function formatEvent(
  level: number,
  { worker, label, msg, ...fields }: Omit<LogLine, 'level' | 'time' | 'err'>,
): string {
  const source = [label ?? worker ?? '', ...(worker === 'gate' ? ['gate'] : [])].join(' ')
  const values = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`)
  const levelName = (loadPino().levels.labels[level] ?? String(level)).padEnd(5)
  return escapeText(`${levelName} ${source && `[${source}] `}${String(msg ?? '')}${values.join('')}`)
}

/** Indents all lines but the first: a worker chooses the text, which must not look like another event. */
const toLines = (stack: string): string[] =>
  stack.split('\n').map((line, index) => (index === 0 ? escapeText(line) : `  ${escapeText(line)}\n`))

const escapeCharacter = (character: string): string =>
  character.replaceAll(/[^]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Escapes a line of JSON. There they occur only within strings, where the escape means the same. */
export const escapeLine = (line: string): string => line.replace(/[\u007f-\u009f\u2028\u2029]/g, escapeCharacter)

/** Removes terminal sequences from one line of text, and escapes other control characters and invisible ones, but not tabs and joiners. */
export const escapeText = (text: string): string =>
  stripVTControlCharacters(text).replace(/[\u2028\u2029]|(?![\t\u200d])[\p{Cc}\p{Cf}]/gu, escapeCharacter)
