// What a worker prints: third-party text, truncated and throttled unless the host takes the text itself.
import type { Worker } from 'node:worker_threads'
import {
  MAX_OUTPUT_TEXT,
  type OutputRequest,
  type OutputStream,
  PRINTED_INDEX,
} from '@sallyport/protocol/internal/contract'
import { formatSuppressed, Throttle, throwLater } from '@sallyport/protocol/internal/util'
import { MAX_OUTPUT_LINE } from '@sallyport/protocol/internal/wire'
import type { ThreadHandle } from '../thread.js'
import { type HostLog, isDefaultLog, type LogOption, writeOutput } from '../reporting/log.js'

/** Receives what a frontend prints as text, in chunks that need not end with a line. */
export type OnStdio = (text: string, from: { label: string; stream: 'stdout' | 'stderr' }) => void

export interface OutputSink {
  /** @param lost - the number of characters that were dropped before the text */
  take(stream: OutputStream, text: string, lost?: number): void
  end(): void
}

interface Fields {
  worker: string
  label: string
}

type Level = 'debug' | 'info' | 'warn' | 'error'
type LineLog = Record<Level, (fields: object, line: string) => void>
export type ThrottledLines = Throttle<readonly [level: Level, text: string]>

export const throttleLines = (log: LineLog, fields: Fields): ThrottledLines =>
  new Throttle(([level, text], more) => log[level](fields, formatSuppressed(text, more)))

/** Passes on what a trusted worker prints to Node's own streams. */
export function pipeOutput(worker: Worker, { take, end }: OutputSink): void {
  for (const name of ['stdout', 'stderr'] as const)
    worker[name].setEncoding('utf8').on('data', (text: string) => take(name, text))
  worker.on('exit', end)
}

/**
 * Takes the output of code: all of it goes to `onStdio`, or its lines to the log, standard output as `info`, and standard error as `warn`. What is
 * lost goes to the log, too.
 *
 * @param printed - by the thread: what has not arrived at its end is lost
 */
export function createOutputSink(
  fields: Fields,
  log: HostLog,
  option: LogOption,
  onStdio?: OnStdio,
  printed?: Uint32Array,
): OutputSink {
  const { label } = fields
  const taken = { stdout: 0, stderr: 0 }
  const dropped = new Throttle<undefined>((_, more) => {
    const text = 'Output dropped: the frontend printed faster than the host could take it. Print less.'
    log.warn({ label, characters: more + 1 }, text)
  }, 1)
  const tell = (stream: OutputStream, text: string): void => {
    try {
      if (text !== '') onStdio!(text, { label, stream })
    } catch (error) {
      // The other reports of the thread are for the host.
      throwLater(error)
    }
  }
  const lines = throttleLines(isDefaultLog(option) ? createLabelledLog(label) : log, fields)
  const rest = { stdout: '', stderr: '' }
  const add = (stream: OutputStream, line: string): void =>
    lines.add([stream === 'stdout' ? 'info' : 'warn', line.slice(0, MAX_OUTPUT_LINE)])
  return {
    take(stream, text, lost = 0) {
      taken[stream] += lost + text.length
      if (lost > 0) dropped.add(undefined, lost)
      if (onStdio) {
        const mark = `\nOutput lost: ${lost} characters were printed faster than the host reads. Print less.\n`
        if (lost > 0) tell(stream, mark)
        return tell(stream, text)
      }
      const printed = (rest[stream] + text).split('\n')
      rest[stream] = printed.pop()!.slice(0, MAX_OUTPUT_LINE)
      for (const line of printed) add(stream, line)
    },
    end() {
      for (const stream of ['stdout', 'stderr'] as const) {
        const lost = printed ? (Atomics.load(printed, PRINTED_INDEX[stream]) - taken[stream]) >>> 0 : 0
        if (lost > 0) {
          log.warn({ label, characters: lost }, 'Output dropped: the frontend ended before the host could take it.')
          if (onStdio) tell(stream, `\nOutput lost: ${lost} characters were printed just before the end.\n`)
        }
        if (rest[stream] !== '') add(stream, rest[stream])
      }
      lines.flush()
    },
  }
}

/** Takes a report of output, which can have any form, and asks for the next one. Ignores other reports. */
export function takeReport(report: unknown, { take }: OutputSink, thread: Pick<ThreadHandle, 'postMessage'>): void {
  const { type, stream, text, lost }: Record<string, unknown> = Object(report)
  if (type !== 'output' || (stream !== 'stdout' && stream !== 'stderr')) return
  if (typeof text !== 'string' || text.length > MAX_OUTPUT_TEXT) return
  take(stream, text, Number.isSafeInteger(lost) ? (lost as number) : 0)
  thread.postMessage({ type: 'read', stream } satisfies OutputRequest)
}

function createLabelledLog(label: string): LineLog {
  const print = (_fields: object, line: string): void => writeOutput(label, line, 'stdout')
  const warn = (_fields: object, line: string): void => writeOutput(label, line, 'stderr')
  return { debug: print, info: print, warn, error: warn }
}
