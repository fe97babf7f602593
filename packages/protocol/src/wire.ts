// The Link interface, frames, credit and limits.
export * from './wire/flow.js'
export * from './wire/limits.js'
export * from './wire/link.js'
