// JSON-RPC messages, names of methods, and options of calls.
export * from './message/message.js'
export * from './message/methods.js'
export * from './rpc/call-options.js'
