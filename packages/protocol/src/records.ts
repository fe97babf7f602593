// The entry `@sallyport/protocol/internal/records`: sealing and opening. It loads node:crypto, which frontends and a brownfield core do not
// need.

export * from './crypto/aead.js'
export * from './crypto/key-schedule.js'
export * from './crypto/record.js'
