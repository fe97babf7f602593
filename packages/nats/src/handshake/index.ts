// How a frontend of another process proves its label, and both sides come by the keys of a session.
export { type SessionKeys } from './agreement.js'
export { beginHandshake, type Handshake, type HandshakeOptions } from './begin.js'
export { issueCredential, revocableId, type CredentialOptions } from './credential.js'
export { createDoor, type Door, type DoorOptions, type Opened } from './door.js'
export { createBusSecret } from './secret.js'
export { writeRefusal } from './welcome.js'
