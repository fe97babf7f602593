// BusError and its reasons, and how a thrown value becomes an error that can be sent.
export * from './errors/bus-error.js'
export { captureCaller, createCallPromise, getUserStack, withCaller } from '#caller-stack'
export { hideInternalFrames, isInternalFrame } from './errors/caller-stack.js'
export * from './errors/command-error.js'
export * from './errors/error-data.js'
export { toSentErrorObject } from '#sent-errors'
export * from './errors/module-errors.js'
