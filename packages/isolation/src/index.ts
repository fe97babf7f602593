// What can be known of an isolation app without running it. Its gate runs in a worker: see ./worker.
export { loadIsolationApp, type IsolationApp, type IsolationScript } from './app.js'
