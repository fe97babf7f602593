// JSON-RPC messages, names of methods, and options of calls.
export * from './rpc/call-options.js'
export * from './wire/messages.js'
export { isBytes } from './util/type-guards.js'
