// What seals and opens, as an entry of its own (`@sallyport/protocol/records`): it loads node:crypto, for which frontends
// and a brownfield core have no use.
export { decrypt, encrypt, TAG_BYTES } from './aead.js'
export { createOpener, createSealer } from './record.js'
export { createKeySchedule, createSessionSecret } from './record-keys.js'
