// The entry `@sallyport/protocol/internal/records`: sealing and opening, with node:crypto, which a brownfield bus does not load.

export * from './crypto/aead.js'
export * from './crypto/key-schedule.js'
export * from './crypto/record.js'
