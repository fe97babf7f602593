// Transports between threads and processes.
export * from './link/bridge.js'
export * from './link/direct-socket.js'
export * from './link/endpoints.js'
export * from './link/local-link.js'
export * from './link/port-link.js'
export * from './link/socket-link.js'
export * from './link/stream-link.js'
export * from './link/stream-multiplexer.js'
