// Messages from thread to thread, the life of a worker, and clocks.
export * from './contract/frontend-script.js'
export * from './contract/life.js'
export * from './contract/messages.js'
export * from './contract/output.js'
export * from './contract/shared-thread.js'
export * from './util/timers.js'
