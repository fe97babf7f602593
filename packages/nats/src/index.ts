// The public names of @sallyport/nats.
export { createBusSecret, issueCredential, revocableId, type CredentialOptions } from './handshake/index.js'
