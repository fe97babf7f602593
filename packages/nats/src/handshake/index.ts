// How a frontend of another process proves its label, and both sides come by the keys of a session.

export { beginHandshake, type Handshake, type HandshakeOptions } from './initiator.js'
export { issueCredential, revocableId, type CredentialOptions } from './credential.js'
export { createDoor, type Door, type DoorOptions } from './responder.js'
export { createBusSecret } from './credential.js'
export { writeRefusal } from './messages.js'
