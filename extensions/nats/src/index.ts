// The public API of @sallyport/nats.

export { joinBus } from './client/joined-bus.js'
export type {
  JoinedBus,
  JoinedConnectionOptions,
  JoinOptions,
  RemoteHostEvents,
  RemoteHostStats,
} from './client/joined-bus.js'
export type { Credentials } from './client/session-dialer.js'
export type { NatsConnectionOptions, TlsOptions } from './connection/options.js'
export { natsNetwork, type NatsNetworkOptions } from './core/nats-network.js'
export { createBusSecret, issueCredential, getCredentialId, type CredentialOptions } from './handshake/credential.js'
