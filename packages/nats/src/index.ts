// The public names of @sallyport/nats.

export { createBusSecret, issueCredential, revocableId, type CredentialOptions } from './handshake/credential.js'
export { joinBus } from './client/joined-bus.js'
export type { JoinOptions } from './client/joined-bus.js'
export type { JoinedBus, JoinedConnectionOptions } from './client/joined-bus.js'
export type { Credentials } from './client/credentials.js'
export type { NatsOptions, TlsOptions } from './connection/options.js'
export { natsNetwork, type NatsNetworkOptions } from './core/nats-network.js'
