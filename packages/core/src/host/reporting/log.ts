// The bus's log: the host's pino logger, to which core and the gates send their lines.
import { type Logger, pino } from 'pino'

export type { Logger }

/** Creates the default logger: warnings and errors, in development `info` too, to standard error. */
export function createHostLog(logger: Logger | false | undefined, dev = false): Logger {
  if (logger === false) return pino({ level: 'silent' })
  if (logger) return logger
  const out = pino.destination({ dest: 2, sync: true })
  return pino({ name: 'sallyport', level: dev ? 'info' : 'warn' }, { write: line => void out.write(escapeLine(line)) })
}

/**
 * Escapes control characters that JSON allows and terminals obey: frontends could send them in a name. In a line of pino's they occur
 * only within strings, where the escape means the same.
 */
export const escapeLine = (line: string): string =>
  line.replace(/[\u007f-\u009f\u2028\u2029]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

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
