// The public names of @sallyport/nats.
export { createBusSecret, issueCredential, revocableId, type CredentialOptions } from './handshake/index.js'
export { natsNetwork, type NatsNetworkOptions } from './options.js'
export type { NatsOptions, TlsOptions } from './nats-options.js'
