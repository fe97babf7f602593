// Standard output and error of a worker. It is third-party text: in the host's log lines are cut and throttled, unless the host
// takes the text itself.
import type { Readable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { formatSuppressed, Throttle } from '@sallyport/protocol'
import { escapeLine, type Logger } from '../reporting/log.js'

/** UTF-16 code units of a line, and of text that is written at once. The rest is not shown. */
const MAX_LINE = 8192
const MAX_CHUNK = 262_144

export interface WorkerStdio {
  stdout: Readable
  stderr: Readable
}

export type OnStdio = (text: string, from: { label: string; stream: 'stdout' | 'stderr' }) => void

/** A throttled log for all that a worker prints or reports. */
export interface BoundedLog {
  write(level: 'debug' | 'info' | 'warn' | 'error', text: string): void
  /** Logs the lines that were held back, as a number, when the worker has ended. */
  flush(): void
}

export function boundedLog(log: Logger, fields: { actor: string; label: string }): BoundedLog {
  type Line = Parameters<BoundedLog['write']>
  const lines = new Throttle<Line>(([level, text], more) => log[level](fields, formatSuppressed(text, more)))
  return { write: (...line) => lines.add(line), flush: () => lines.flush() }
}

/** Logs standard output as `info`, and standard error as `warn`. */
export function pipeToLog({ stdout, stderr }: WorkerStdio, log: BoundedLog): void {
  forEachLine(stdout, line => log.write('info', line))
  forEachLine(stderr, line => log.write('warn', line))
}

export function pipeToHost({ stdout, stderr }: WorkerStdio, label: string, onStdio: OnStdio): void {
  stdout.setEncoding('utf8').on('data', (text: string) => onStdio(text, { label, stream: 'stdout' }))
  stderr.setEncoding('utf8').on('data', (text: string) => onStdio(text, { label, stream: 'stderr' }))
}

/** Writes labelled lines to the host's own output, without control sequences of terminals. */
export function labelOutput({ stdout, stderr }: WorkerStdio, label: string): void {
  const addLabel = (line: string): string => `[${label}] ${escapeLine(stripVTControlCharacters(line))}\n`
  forEachLine(stdout, line => process.stdout.write(addLabel(line)))
  forEachLine(stderr, line => process.stderr.write(addLabel(line)))
}

function forEachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk.slice(0, MAX_CHUNK)).split('\n')
    rest = lines.pop()!.slice(0, MAX_LINE)
    if (chunk.length > MAX_CHUNK) {
      lines.push(rest, `… and ${chunk.length - MAX_CHUNK} characters more`)
      rest = ''
    }
    for (const line of lines) onLine(line.slice(0, MAX_LINE))
  })
  stream.on('end', () => rest && onLine(rest))
}
