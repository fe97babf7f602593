// The entry `@sallyport/inspector/internal/calls`, which core's thread loads while an inspector is open.

export { CallWatch } from './core-thread/call-watch.js'
