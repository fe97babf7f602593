// What NATS says is wrong, as the bus's errors: they name the server and the subject, and nothing of a password or a token.
import { errors } from '@nats-io/transport-node'
import { BusError, describeThrown, Throttle } from '@sallyport/protocol'
import { type NatsOptions, getServers } from './options.js'

/** Of an attempt to connect. */
export function toConnectError(where: string, options: NatsOptions, error: unknown): BusError {
  const servers = getServers(options).join(', ')
  // Its text is the server's own, or the client's: neither repeats what it was given.
  const why = getReason(error)
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) {
    return new BusError('Denied', `${where}: NATS at ${servers} refused the connection: ${why}`)
  }
  return new BusError('Disconnected', `${where}: no connection to NATS at ${servers}: ${why}`)
}

/** What OpenSSL says of an answer without TLS is for its own authors. */
function getReason(error: unknown): string {
  const text = describeThrown(error).trim()
  const isPlain = text.includes('wrong version number')
  return isPlain ? 'the server began without TLS (tls.handshakeFirst is for servers that are set up so)' : text
}

/** Of something that a server refuses on a connection, or that it ends the connection for. */
export function getRefusal(error: Error): BusError {
  if (error instanceof errors.PermissionViolationError) {
    const { operation, subject } = error
    const what = operation === 'publish' ? 'publishing to' : 'a subscription to'
    return new BusError('Denied', `NATS refused ${what} ${subject}: the permissions of its user don't allow it`)
  }
  if (/slow consumer/i.test(error.message)) {
    return new BusError('Overloaded', 'NATS ended the connection: this process took its messages too slowly')
  }
  return new BusError('Disconnected', `NATS says: ${describeThrown(error)}`)
}

// What goes wrong between a process and its network, told to its host: whoever floods the bus's subjects floods neither the log
// nor the host.

/** In core: for what has no frontend, or nobody knows whose it is. */
export const NOBODY = 'core'

export interface Faults {
  tell(label: string, error: BusError): void
  /** Tells what is held back. */
  flush(): void
}

export function createFaults(fault: (label: string, error: BusError) => void): Faults {
  const limit = new Throttle<{ label: string; error: BusError }>(({ label, error }, more) => {
    if (more === 0) return fault(label, error)
    fault(label, new BusError(error.reason, `${error.message} (and ${more} more, of this frontend and others)`))
  })
  return { tell: (label, error) => limit.add({ label, error }), flush: () => limit.flush() }
}
