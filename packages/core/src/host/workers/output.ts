// What a worker prints: third-party text, truncated and throttled unless the host takes the text itself.
import type { OutputRequest, OutputStream } from '@sallyport/protocol/internal/contract'
import { formatSuppressed, Throttle } from '@sallyport/protocol/internal/util'
import { MAX_OUTPUT_LINE, MAX_OUTPUT_CHUNK } from '@sallyport/protocol/internal/wire'
import type { ThreadHandle } from '../life/spec.js'
import { type HostLog, isDefaultLog, type LogOption, writeOutput } from '../reporting/log.js'

/** Receives what a frontend prints as text, in chunks that need not end with a line. */
export type OnStdio = (text: string, from: { label: string; stream: OutputStream }) => void

export interface OutputSink {
  /** @param lost - the number of characters that were dropped before the text */
  take(stream: OutputStream, text: string, lost?: number): void
  /** Nothing follows. */
  end(): void
}

interface Fields {
  worker: string
  label: string
}

type Level = 'debug' | 'info' | 'warn' | 'error'
type LineLog = Record<Level, (fields: object, line: string) => void>
type ThrottledLines = Throttle<readonly [level: Level, text: string]>

/** Throttles all that a worker prints or reports. */
export const throttleLines = (log: LineLog, fields: Fields): ThrottledLines =>
  new Throttle(([level, text], more) => log[level](fields, formatSuppressed(text, more)))

/** Logs standard output as `info`, and standard error as `warn`. */
export function createLogSink(lines: ThrottledLines): OutputSink {
  const splits = {
    stdout: createSplitter(line => lines.add(['info', line])),
    stderr: createSplitter(line => lines.add(['warn', line])),
  }
  return {
    take: (stream, text) => splits[stream].add(text),
    end() {
      splits.stdout.end()
      splits.stderr.end()
      lines.flush()
    },
  }
}

/** Passes on what a thread prints to its own streams, until it exits. */
export function pipeOutput(thread: Pick<ThreadHandle, 'stdout' | 'stderr' | 'on'>, sink: OutputSink): OutputSink {
  for (const name of ['stdout', 'stderr'] as const)
    thread[name]?.setEncoding('utf8').on('data', (text: string) => sink.take(name, text))
  thread.on('exit', sink.end)
  return sink
}

/** Takes the output of code: its lines go to the log, or all of it to `onStdio`. What is lost goes to the log, too. */
export function createOutputSink(fields: Fields, log: HostLog, option: LogOption, onStdio?: OnStdio): OutputSink {
  const { label } = fields
  const dropped = new Throttle<undefined>((_, more) => {
    const text = 'Output dropped: the frontend printed faster than the host could take it. Print less.'
    log.warn({ label, characters: more + 1 }, text)
  }, 1)
  const lines = throttleLines(isDefaultLog(option) ? createLabelledLog(label) : log, fields)
  const sink: OutputSink = onStdio
    ? { take: (stream, text) => onStdio(text, { label, stream }), end() {} }
    : createLogSink(lines)
  return {
    take(stream, text, lost = 0) {
      if (lost > 0) dropped.add(undefined, lost)
      // What was lost can end within a line.
      if (lost > 0 && onStdio)
        sink.take(stream, `\nOutput lost: ${lost} characters were printed faster than the host reads. Print less.\n`)
      sink.take(stream, text)
    },
    end: sink.end,
  }
}

/** Takes a report of output, which can have any form, and asks for the next one. Ignores other reports. */
export function takeReport(report: unknown, { take }: OutputSink, thread: Pick<ThreadHandle, 'postMessage'>): void {
  const { type, stream, text, lost } = Object(report) as Record<string, unknown>
  if (type !== 'output' || (stream !== 'stdout' && stream !== 'stderr') || typeof text !== 'string') return
  take(stream, text, Number.isSafeInteger(lost) ? (lost as number) : 0)
  thread.postMessage({ type: 'read', stream } satisfies OutputRequest)
}

function createLabelledLog(label: string): LineLog {
  const print = (_fields: object, line: string): void => writeOutput(label, line, 'stdout')
  const warn = (_fields: object, line: string): void => writeOutput(label, line, 'stderr')
  return { debug: print, info: print, warn, error: warn }
}

function createSplitter(onLine: (line: string) => void): { add(chunk: string): void; end(): void } {
  let rest = ''
  return {
    add(chunk) {
      const lines = (rest + chunk.slice(0, MAX_OUTPUT_CHUNK)).split('\n')
      rest = lines.pop()!.slice(0, MAX_OUTPUT_LINE)
      if (chunk.length > MAX_OUTPUT_CHUNK) {
        lines.push(rest, `… and ${chunk.length - MAX_OUTPUT_CHUNK} characters more`)
        rest = ''
      }
      for (const line of lines) onLine(line.slice(0, MAX_OUTPUT_LINE))
    },
    end() {
      if (rest) onLine(rest)
      rest = ''
    },
  }
}
