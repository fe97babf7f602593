// What seals and opens, as an entry of its own (`@sallyport/protocol/records`): it loads node:crypto, for which frontends
// and a brownfield core have no use.
export { decrypt, encrypt, hkdfSha256, importKey, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './aead.js'
export { createOpener, createSealer } from './record.js'
export { SESSION_BYTES } from './record-keys.js'
export { createKeySchedule, createSessionSecret } from './record-keys.js'
