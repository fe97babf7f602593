// Standard output and error of a worker: third-party text, truncated and throttled unless the host takes the text itself.
import type { Readable } from 'node:stream'
import { formatSuppressed, Throttle } from '@sallyport/protocol/internal/util'
import { MAX_OUTPUT_LINE, MAX_OUTPUT_CHUNK } from '@sallyport/protocol/internal/wire'
import { type HostLog, isDefaultLog, type LogOption, writeOutput } from '../reporting/log.js'

/** Receives what a frontend prints as text, in chunks that need not end with a line. */
export type OnStdio = (text: string, from: { label: string; stream: 'stdout' | 'stderr' }) => void

/** A worker, or a member of a thread. */
export interface OutputSource {
  readonly stdout: Readable
  readonly stderr: Readable
  once(event: 'exit', listener: () => void): unknown
}

type Level = 'debug' | 'info' | 'warn' | 'error'
type LineLog = Record<Level, (fields: object, line: string) => void>
type ThrottledLines = Throttle<readonly [level: Level, text: string]>

/** Throttles all that a worker prints or reports. */
export const throttleLines = (log: LineLog, fields: { worker: string; label: string }): ThrottledLines =>
  new Throttle(([level, text], more) => log[level](fields, formatSuppressed(text, more)))

/** Logs standard output as `info`, and standard error as `warn`. */
export function pipeToLog({ stdout, stderr }: OutputSource, lines: ThrottledLines): void {
  forEachLine(stdout, line => lines.add(['info', line]))
  forEachLine(stderr, line => lines.add(['warn', line]))
}

/** Logs the output of a worker. By default its lines go to standard error with their label, and without control sequences. */
export function pipeOutput(
  worker: OutputSource,
  fields: { worker: string; label: string },
  log: HostLog,
  option: LogOption,
): void {
  const lines = throttleLines(isDefaultLog(option) ? createLabelledLog(fields.label) : log, fields)
  pipeToLog(worker, lines)
  worker.once('exit', () => lines.flush())
}

export function pipeToHost({ stdout, stderr }: OutputSource, label: string, onStdio: OnStdio): void {
  stdout.setEncoding('utf8').on('data', (text: string) => onStdio(text, { label, stream: 'stdout' }))
  stderr.setEncoding('utf8').on('data', (text: string) => onStdio(text, { label, stream: 'stderr' }))
}

/** The end of what was lost is not known: more of the text before it can follow. */
export function reportLostOutput(onStdio: OnStdio | undefined, from: Parameters<OnStdio>[1], characters: number): void {
  onStdio?.(`\nOutput lost: ${characters} characters were printed faster than the host reads. Print less.\n`, from)
}

function createLabelledLog(label: string): LineLog {
  const print = (_fields: object, line: string): void => writeOutput(label, line, 'stdout')
  const warn = (_fields: object, line: string): void => writeOutput(label, line, 'stderr')
  return { debug: print, info: print, warn, error: warn }
}

function forEachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk.slice(0, MAX_OUTPUT_CHUNK)).split('\n')
    rest = lines.pop()!.slice(0, MAX_OUTPUT_LINE)
    if (chunk.length > MAX_OUTPUT_CHUNK) {
      lines.push(rest, `… and ${chunk.length - MAX_OUTPUT_CHUNK} characters more`)
      rest = ''
    }
    for (const line of lines) onLine(line.slice(0, MAX_OUTPUT_LINE))
  })
  stream.on('end', () => rest && onLine(rest))
}
