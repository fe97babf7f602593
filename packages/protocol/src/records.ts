// The entry `@sallyport/protocol/internal/records`: sealing and opening. It loads node:crypto, which frontends and a brownfield core do not
// need.

export {
  createCipher,
  createDecipher,
  decrypt,
  encrypt,
  hkdfSha256,
  importKey,
  KEY_BYTES,
  NONCE_BYTES,
  TAG_BYTES,
} from './crypto/aead.js'
export { createOpener, createSealer, type Opener, type Sealer } from './crypto/record.js'
export { SESSION_BYTES } from './crypto/key-schedule.js'
export { createKeySchedule, createSessionSecret } from './crypto/key-schedule.js'
