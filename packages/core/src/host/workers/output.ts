// What a worker writes to its standard output and error. It is somebody else's: in the host's log each line is cut, and a
// flood of them told as a number, unless the host takes the text itself.
import type { Readable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { formatSuppressed, Throttle } from '@sallyport/protocol'
import { escapeLine, type Logger } from '../reporting/log.js'

export interface WorkerStdio {
  stdout: Readable
  stderr: Readable
}

/** What else a worker says for the log goes through the same bound. */
export interface BoundedLog {
  write(level: 'debug' | 'info' | 'warn' | 'error', text: string): void
  /** Nothing more comes: tells of what was held back. */
  flush(): void
}

type Line = Parameters<BoundedLog['write']>

export function boundedLog(log: Logger, about: { actor: string; label: string }): BoundedLog {
  const lines = new Throttle<Line>(([level, text], more) => log[level](about, formatSuppressed(text, more)))
  return { write: (...line) => lines.add(line), flush: () => lines.flush() }
}

/** Standard output as `info`, standard error as `warn`. */
export function pipeToLog({ stdout, stderr }: WorkerStdio, lines: BoundedLog): void {
  eachLine(stdout, line => lines.write('info', line))
  eachLine(stderr, line => lines.write('warn', line))
}

export function pipeToHost({ stdout, stderr }: WorkerStdio, label: string, take: OnStdio): void {
  stdout.setEncoding('utf8').on('data', (text: string) => take(text, { label, stream: 'stdout' }))
  stderr.setEncoding('utf8').on('data', (text: string) => take(text, { label, stream: 'stderr' }))
}

/** To the host's own output, line by line, and without what terminals obey. */
export function labelOutput({ stdout, stderr }: WorkerStdio, label: string): void {
  const labelled = (line: string): string => `[${label}] ${escapeLine(stripVTControlCharacters(line))}\n`
  eachLine(stdout, line => process.stdout.write(labelled(line)))
  eachLine(stderr, line => process.stderr.write(labelled(line)))
}

/** In UTF-16 code units: of a longer line the rest is not shown, nor of what was written at once. */
const MAX_LINE = 8192
const MAX_CHUNK = 262_144

function eachLine(stream: Readable, take: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk.slice(0, MAX_CHUNK)).split('\n')
    rest = lines.pop()!.slice(0, MAX_LINE)
    if (chunk.length > MAX_CHUNK) {
      lines.push(rest, `… and ${chunk.length - MAX_CHUNK} characters more`)
      rest = ''
    }
    for (const line of lines) take(line.slice(0, MAX_LINE))
  })
  stream.on('end', () => rest && take(rest))
}

export type OnStdio = (text: string, from: { label: string; stream: 'stdout' | 'stderr' }) => void
