// NATS's errors as errors of the bus, and the throttled report of faults. Texts never repeat a password or a token.
import { errors } from '@nats-io/transport-node'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'
import { Throttle, toPlainText } from '@sallyport/protocol/internal/util'
import { type NatsConnectionOptions, getServers } from './options.js'

export function toConnectError(where: string, options: NatsConnectionOptions, error: unknown): BusError {
  const servers = getServers(options).join(', ')
  // Neither the server nor the client repeats credentials in its error texts.
  const text = toPlainText(describeThrown(error)).trim()
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) {
    const refusal = `${where}: NATS at ${servers} refused the connection: ${text}`
    return new BusError('Denied', refusal, { code: 'LOGIN_REFUSED' })
  }
  // OpenSSL's text for an answer without TLS does not help.
  const isPlain = text.includes('wrong version number')
  const cause = isPlain
    ? 'the server answered without TLS. Set tls.handshakeFirst only if the server begins with TLS'
    : text
  return new BusError('Disconnected', `${where}: no connection to NATS at ${servers}: ${cause}`, {
    code: 'NO_CONNECTION',
  })
}

export function toServerError(error: Error): BusError {
  if (error instanceof errors.PermissionViolationError) {
    const { operation, subject } = error
    const action = operation === 'publish' ? 'publishing to' : 'a subscription to'
    return new BusError('Denied', `NATS refused ${action} ${toPlainText(subject)}: the user lacks the permission`)
  }
  if (/slow consumer/i.test(error.message)) {
    return new BusError('Overloaded', 'NATS closed the connection: this process read its messages too slowly')
  }
  return new BusError('Disconnected', `NATS reported an error: ${toPlainText(describeThrown(error))}`)
}

/** Label of faults that belong to no known frontend. */
export const CORE_LABEL = 'core'

/** Reports faults to the host, throttled: a flood of messages must not flood the log, and creates errors only for what is reported. */
export type FaultReporter = Throttle<{ label: string; createError: () => BusError }>

export const createFaultReporter = (report: (label: string, error: BusError) => void): FaultReporter =>
  new Throttle(({ label, createError }, suppressed) => {
    const error = createError()
    if (suppressed === 0) return report(label, error)
    report(label, new BusError(error.reason, `${error.message} (and ${suppressed} more, of this frontend and others)`))
  })
