// The public API of @sallyport/nats.

export { joinBus } from './client/joined-bus.js'
export type { JoinedBus, JoinOptions } from './client/joined-bus.js'
export type { Credentials } from './client/session-dialer.js'
export { natsNetwork, type NatsNetworkOptions } from './core/nats-network.js'
export { createBusSecret, issueCredential, getCredentialId } from './handshake/credential.js'
