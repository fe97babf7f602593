// Names in error texts of calls that the host makes through commands of its own.
import { BusError, describeCommand, describeName, hideInternalFrames } from '@sallyport/protocol/internal/errors'

/** Replaces the internal command in an error text by the function's name, which is all that the caller knows. */
export function nameFunction(error: BusError, method: string, name: string): BusError {
  const message = error.message.replace(describeCommand(method), describeName(name))
  if (message === error.message) return error
  const named = new BusError(error.reason, message, { data: error.data, cause: error.cause })
  return hideInternalFrames(named) as BusError
}
