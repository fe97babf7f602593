// The bus's log: the host's pino logger, to which core and the gates send their lines.
import { type Logger, pino } from 'pino'
import { escapeLine } from './escape.js'
import { createTerminalLog } from './terminal-log.js'

export type { Logger }

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** The lowest level that is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** The option `log`. */
export type LogOption = Logger | LogLevel | false | undefined

/** True if the log and the output of frontends go to standard error. */
export const isDefaultLog = (log: LogOption): log is LogLevel | undefined =>
  log === undefined || typeof log === 'string'

/**
 * Creates the log. By default it has warnings and errors, in development mode `info` too, and goes to standard error: as text to a
 * terminal, else as JSON.
 */
export function createHostLog(log: LogOption, dev = false): Logger {
  if (log === false) return pino({ level: 'silent' })
  if (!isDefaultLog(log)) return log
  const write = process.stderr.isTTY
    ? createTerminalLog(writeToStderr)
    : (line: string) => writeToStderr(escapeLine(line))
  return pino({ name: 'sallyport', level: log ?? (dev ? 'info' : 'warn') }, { write })
}

let stderr: ReturnType<typeof pino.destination> | undefined

/** Writes at once, so that a process that exits or crashes loses nothing, and ignores a closed pipe. */
export function writeToStderr(text: string): void {
  stderr ??= pino.destination({ dest: 2, sync: true })
  stderr.write(text)
}

interface LogLine {
  level: number
  msg?: string
  [field: string]: unknown
}

/** Writes a line of core's pino to the host's log. */
export function forwardLine(log: Logger, line: string): void {
  const { level, time: _time, pid: _pid, hostname: _hostname, msg, ...fields } = JSON.parse(line) as LogLine
  const method = pino.levels.labels[level] ?? 'info'
  if (method in log) log[method as 'info'](fields, msg)
}
