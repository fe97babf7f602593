// All of `@sallyport/protocol/internal/…`, which share one bundle. It runs on both sides of the trust boundary and has no privilege.
export * from './errors.js'
export * from './message.js'
export * from './codec.js'
export * from './rpc.js'
export * from './wire.js'
export * from './link.js'
export * from './contract.js'
export * from './util.js'
