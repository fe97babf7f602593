// Code that core, frontend and isolation share. It runs on both sides of the trust boundary and has no privilege.
export * from './browser.js'
export { explainTypeScript } from './errors/describe-error.js'
export { bridge, type BridgeEnd } from './link/bridge.js'
export * from './link/endpoints.js'
export { LocalLink } from './link/local-link.js'
export * from './link/stream-frames.js'
export * from './link/stream-link.js'
// records: `@sallyport/protocol/internal/records` has what loads node:crypto
export type { Opener, Sealer } from './crypto/record.js'
export * from './worker/heartbeat.js'
export * from './worker/messages.js'
export * from './util/sampling-timer.js'
export * from './util/throttle.js'
