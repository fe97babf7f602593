// The bus's log: the host's pino, to which core and the gates send their lines.
import { type Logger, pino } from 'pino'

export type { Logger }

/** Warnings and worse, in development all that a developer may want to know, to standard error: standard output is not a library’s. */
export function createHostLog(given: Logger | false | undefined, dev = false): Logger {
  if (given === false) return pino({ level: 'silent' })
  if (given) return given
  const out = pino.destination({ dest: 2, sync: true })
  return pino({ name: 'sallyport', level: dev ? 'info' : 'warn' }, { write: line => void out.write(escapeLine(line)) })
}

/**
 * JSON escapes what is below a space. A terminal obeys a few more, which frontends could send in a name; in a line of pino's
 * they stand in texts alone, where this is the same text.
 */
export const escapeLine = (line: string): string =>
  line.replace(/[\u007f-\u009f\u2028\u2029]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Writes a line of core's pino once more, as the host's own. */
export function forwardLine(log: Logger, line: string): void {
  const { level, time: _time, pid: _pid, hostname: _hostname, msg, ...fields } = JSON.parse(line) as LogLine
  const method = pino.levels.labels[level] ?? 'info'
  if (method in log) log[method as 'info'](fields, msg)
}

interface LogLine {
  level: number
  msg?: string
  [field: string]: unknown
}
