// The entry `@sallyport/inspector/internal`, which core loads in the host when an inspector is opened.

export { openInspector } from './host/server.js'
