// Turns errors of third-party code into errors for a caller. A value that a handler throws reaches its caller unchanged. Only the
// message of an Error does, and nothing of Node's own errors that may hold a path.
import { BusError, describeCommand, isBusError } from './bus-error.js'
import { getPublicMessage } from './command-error.js'

/** Returns the error response to a call of `method` whose handler threw `thrown`. */
export function toBusError(method: string, thrown: unknown): BusError {
  const failed = `${describeCommand(method)} failed`
  try {
    if (isBusError(thrown)) return thrown
    const value = thrown instanceof Error ? getPublicMessage(thrown) : thrown
    return new BusError('CommandFailed', typeof value === 'string' ? value : failed, { data: value ?? null })
  } catch {
    // A proxy or a getter threw.
    return new BusError('CommandFailed', failed, { data: null })
  }
}
