// The entry `@sallyport/protocol/internal/records`: sealing and opening, with node:crypto, which a brownfield bus does not load.

export * from './crypto/record.js'
