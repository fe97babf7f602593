// What a script sees of errors, and what the host sees of a script's. Neither may carry more than text, and what everybody
// shares and nobody can change.
import { types } from 'node:util'
import { BusError, ERROR_CODES, describeThrown, type BusErrorReason } from '@sallyport/protocol'
import { SCRIPT_ORIGIN } from './script-source.js'

interface Frame {
  getScriptNameOrSourceURL(): unknown
  toString(): string
}

/** After lockdown: stacks have the frames of scripts, and none of this thread's own, which would tell its paths. */
export function hideFrames(): void {
  Error.prepareStackTrace = (error, frames: unknown) => {
    const own = (frames as Frame[]).filter(frame => String(frame.getScriptNameOrSourceURL()).startsWith(SCRIPT_ORIGIN))
    return [describeError(error), ...own.map(frame => `    at ${frame.toString()}`)].join('\n')
  }
}

/** What the client threw, as a script may see it. */
export function toScriptError(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || isSafe(thrown)) return thrown
  if (!(thrown instanceof BusError)) return new BusError('InternalError', describeThrown(thrown))
  return new BusError(thrown.reason, thrown.message, { data: thrown.data })
}

/** All that it inherits from is frozen, and its cause's too: not so what is of Node's own making. */
function isSafe(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return typeof thrown !== 'function'
  for (let at: object | null = Object.getPrototypeOf(thrown); at !== null; at = Object.getPrototypeOf(at)) {
    if (!Object.isFrozen(at)) return false
  }
  return !('cause' in thrown) || isSafe(thrown.cause)
}

const MAX_TEXT = 8192

/** An error for the host, of whatever a script threw: its texts alone. No method of a script's gets anything of this thread's. */
export function toFault(thrown: unknown): Error {
  const message = describeThrown(thrown).slice(0, MAX_TEXT)
  const reason = read(thrown, 'reason') as BusErrorReason
  const known = thrown instanceof BusError && Object.hasOwn(ERROR_CODES, reason)
  const fault = known ? new BusError(reason, message) : new Error(message)
  const stack = types.isNativeError(thrown) ? read(thrown, 'stack') : undefined
  fault.stack = typeof stack === 'string' ? stack.slice(0, MAX_TEXT) : message
  return fault
}

function read(thrown: unknown, key: string): unknown {
  try {
    return (thrown as Record<string, unknown> | null)?.[key]
  } catch {
    return undefined
  }
}

function describeError(error: unknown): string {
  try {
    return String(error)
  } catch {
    return 'Error'
  }
}
