// What a caller is told of an error. A handler's own value goes to its caller as it is; of an Error only the message goes,
// and of an error of the system not the path that stands in it.
import { BusError, describeCommand, isBusError } from '@sallyport/protocol'

/** The error that answers a call of `method` whose handler threw `thrown`. */
export function failureOf(method: string, thrown: unknown): BusError {
  if (isBusError(thrown)) return thrown
  const value = thrown instanceof Error ? messageOf(thrown) : thrown
  const message = typeof value === 'string' ? value : `${describeCommand(method)} failed`
  return new BusError('CommandFailed', message, { data: value ?? null })
}

/** Node's system errors end in the call and its paths: `ENOENT: no such file or directory, open '/etc/secret'`. */
function messageOf(error: Error & { syscall?: unknown }): string {
  if (typeof error.syscall !== 'string') return error.message
  const at = error.message.indexOf(`, ${error.syscall} '`)
  return at < 0 ? error.message : error.message.slice(0, at)
}
