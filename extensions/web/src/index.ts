// `@sallyport/web`: serves web pages as frontends of a bus.
export { serveFrontends, type WebServer } from './serve.js'
export type { PageOptions, WebOptions } from './options.js'
