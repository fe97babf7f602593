// What `bus.run` resolves with if it has the option `report`.
import { type BusErrorReason, describeThrown, isBusError } from '@sallyport/protocol/internal/errors'
import type { RunLog } from './run-output.js'

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
  /** What promises of it rejected with that nobody handled, such as a call without an `await`: up to 20. Absent if there are none. */
  readonly unhandled?: readonly RunError[]
}

/** Not a file of the host with that name. Code around the code is before its first column, or has the name of @sallyport/code-mode. */
const PLACE = /^(?!.*\$tool\b).*?(?<![\w./\\-])run\.[jt]s:(\d+)(?![\d:]*-)(?::(\d+))?/m

/** Returns the error of a run as data. */
export function toRunError(thrown: unknown): RunError {
  const { cause } = Object(thrown) as { cause?: unknown }
  const { name, stack } = Object(cause) as { name?: unknown; stack?: unknown }
  const message = describeThrown(thrown).replace(/^command "bus\.run" failed: it/, 'The code')
  const texts = [stack, message, (Object(thrown) as { stack?: unknown }).stack].map(String)
  const [, line, column] = texts.map(text => PLACE.exec(text)).find(Boolean) ?? []
  const data = isBusError(thrown) ? thrown.data : undefined
  return {
    reason: isBusError(thrown) ? thrown.reason : 'InternalError',
    message,
    ...(typeof name === 'string' && { name }),
    ...(line !== undefined && { line: Number(line) }),
    ...(column !== undefined && { column: Number(column) }),
    ...(data !== undefined && { data }),
  }
}
