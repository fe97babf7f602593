// How a frontend of another process proves its label, and both sides come by the keys of a session.

export { initiateHandshake, type HandshakeInitiator, type HandshakeOptions } from './initiator.js'
export { issueCredential, revocableId, type CredentialOptions } from './credential.js'
export { createHandshakeResponder, type HandshakeResponder, type HandshakeResponderOptions } from './responder.js'
export { createBusSecret } from './credential.js'
export { writeRefusal } from './messages.js'
