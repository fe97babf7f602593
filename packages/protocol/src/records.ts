// What seals and opens, as an entry of its own (`@sallyport/protocol/records`): it loads node:crypto, for which frontends
// and a brownfield core have no use.

export { decrypt, encrypt, hkdfSha256, importKey, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './crypto/aead.js'
export { createOpener, createSealer } from './crypto/record.js'
export { SESSION_BYTES } from './crypto/key-schedule.js'
export { createKeySchedule, createSessionSecret } from './crypto/key-schedule.js'
