// What can be known of an isolation app without running it. Its gate runs in a worker: see ./worker.
export { loadIsolationApp, type IsolationApp } from './app.js'
export { type IsolationScript } from './sandbox.js'
