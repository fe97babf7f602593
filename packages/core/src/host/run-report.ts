// What `bus.run` resolves with if it has the option `report`, and what its code prints: at most so many bytes go to the host, and to the report.
import { type BusErrorReason, describeThrown, getFailedCommand, isBusError } from '@sallyport/protocol/internal/errors'
import type { OnStdio } from '../life/workers/output.js'

/** Why code has failed. */
export interface RunError {
  /** The reason of the error: `CommandFailed` for what the code throws. */
  readonly reason: BusErrorReason
  /** The error's message. */
  readonly message: string
  /** The name of what the code threw, such as `TypeError`. */
  readonly name?: string
  /** The line of the code, from 1. Absent if the error has no place in the code, such as `Timeout`. */
  readonly line?: number
  /** The column of that line, from 1. */
  readonly column?: number
  /** The command, or the function of the run, whose error the code did not handle. Absent if the code threw another error. */
  readonly command?: string
  /** `data` of the error. */
  readonly data?: unknown
}

/** What code did, and how it ended, or why it waits. */
export type RunReport<T = unknown> = EndedRun<T> | InterruptedRun

/** What code did, and how it ended. */
export interface EndedRun<T = unknown> extends RunTraffic {
  /** Only of a run that was interrupted. */
  readonly status?: undefined
  /** Only of a run that was interrupted. */
  readonly continuation?: undefined
  /** Only of a run that was interrupted. */
  readonly data?: undefined
  /** What the code returned. `undefined` if it failed. */
  readonly value: T | undefined
  /** Why it failed. `undefined` if it returned. */
  readonly error: RunError | undefined
}

/** What code did until a command interrupted it. */
export interface InterruptedRun extends RunTraffic {
  /** It was interrupted, and can go on. */
  readonly status: 'interrupted'
  /** What `bus.resume` takes. */
  readonly continuation: Uint8Array
  /** What the command has passed to `ctx.interrupt`. */
  readonly data: unknown
  /** It has returned nothing yet. */
  readonly value: undefined
  /** It has not failed. */
  readonly error: undefined
}

/** What a report has of code that ended, and of code that was interrupted. */
export interface RunTraffic {
  /** The lines that it printed, in the order of each stream. */
  readonly logs: readonly RunLog[]
  /** Calls that core received of it, also of the bus's own commands, and before it was interrupted. */
  readonly calls: number
  /**
   * What promises of it rejected with that nobody handled, such as a call without an `await`: up to 20. And a `Timeout` whose `data` has `unsent`, if
   * some of what it had sent was lost after it had ended. Absent if there is nothing of that.
   */
  readonly unhandled?: readonly RunError[]
}

/** Not a file of the host with that name. Code around the code is before its first column, or has the name of @sallyport/code-mode. */
const PLACE = /^(?!.*\$tool\b).*?(?<![\w./\\-])run\.[jt]s:(\d{1,9})(?!\d)(?![\d:]*-)(?::(\d+))?/m

/** Characters of an error's text that a report has, as of an error in QuickJS. */
const MAX_TEXT = 4096
const cut = <T>(value: T): T | string => (typeof value === 'string' ? value.slice(0, MAX_TEXT) : value)

/** Returns the error of a run as data. */
export function toRunError(thrown: unknown): RunError {
  const { cause }: { cause?: unknown } = Object(thrown)
  const { name, stack }: { name?: unknown; stack?: unknown } = Object(cause)
  const message = describeThrown(thrown).replace(/^command "bus\.run" failed: it/, 'The code')
  const texts = [stack, message, (Object(thrown) as { stack?: unknown }).stack].map(String)
  const [, line, column] = texts.map(text => PLACE.exec(text)).find(Boolean) ?? []
  const data = isBusError(thrown) ? cut(thrown.data) : undefined
  const command = getFailedCommand(thrown)
  return {
    reason: isBusError(thrown) ? thrown.reason : 'InternalError',
    message: cut(message),
    ...(typeof name === 'string' && { name }),
    ...(line !== undefined && { line: Number(line) }),
    ...(column !== undefined && { column: Number(column) }),
    ...(command !== undefined && { command }),
    ...(data !== undefined && { data }),
  }
}

/** A line that the code has printed. */
export interface RunLog {
  /** Where it was printed. */
  readonly stream: 'stdout' | 'stderr'
  /** The line, without its end. */
  readonly text: string
}

interface RunOutput {
  onStdio: OnStdio | undefined
  /** Returns the lines. Only for a report. */
  logs: (() => RunLog[]) | undefined
}

/** Bytes of output that a report has unless it has a limit. */
const REPORTED_BYTES = 2 ** 20

/** @param collects - true to collect the lines for a report */
export function createRunOutput(
  onStdio: OnStdio | undefined,
  maxBytes: number | undefined,
  collects: boolean,
): RunOutput {
  const limit = maxBytes ?? (collects ? REPORTED_BYTES : undefined)
  if ((!onStdio && !collects) || limit === undefined) return { onStdio, logs: undefined }
  const logs: RunLog[] = []
  const rest = { stdout: '', stderr: '' }
  let left = limit
  let isCut = false
  const add: OnStdio = (text, from) => {
    onStdio?.(text, from)
    if (!collects) return
    const { stream } = from
    const lines = (rest[stream] + text).split('\n')
    rest[stream] = lines.pop()!
    for (const line of lines) logs.push({ stream, text: line })
  }
  return {
    onStdio(text, from) {
      if (isCut) return
      const bytes = Buffer.byteLength(text)
      if (bytes <= left) {
        left -= bytes
        return add(text, from)
      }
      isCut = true
      // Without a character that the limit has cut.
      const kept = new TextDecoder().decode(Buffer.from(text).subarray(0, left), { stream: true })
      const note = `The rest of the output was dropped: it is limited to ${limit} bytes`
      add(`${kept}${kept === '' || kept.endsWith('\n') ? '' : '\n'}${note}\n`, from)
    },
    logs: collects
      ? () => {
          for (const stream of ['stdout', 'stderr'] as const)
            if (rest[stream] !== '') logs.push({ stream, text: rest[stream] })
          return logs
        }
      : undefined,
  }
}
