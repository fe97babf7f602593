// How a frontend of another process proves its label, and both sides come by the keys of a session.
export { beginHandshake, type Handshake, type HandshakeOptions } from './begin.js'
export { issueCredential, revocableId, type CredentialOptions } from './credential.js'
export { createDoor, type Door, type DoorOptions } from './door.js'
export { createBusSecret } from './secret.js'
export { writeRefusal } from './welcome.js'
