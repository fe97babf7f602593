// The public names of @sallyport/nats.
export { createBusSecret, issueCredential, revocableId, type CredentialOptions } from './handshake/index.js'
export { joinBus } from './join/join-bus.js'
export type { JoinOptions } from './join/join-options.js'
export type { JoinedBus, JoinedConnectionOptions } from './join/joined-bus.js'
export type { Credentials } from './join/keyring.js'
export type { NatsOptions, TlsOptions } from './nats-options.js'
export { natsNetwork, type NatsNetworkOptions } from './core/nats-network.js'
