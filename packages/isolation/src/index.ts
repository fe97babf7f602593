// Checks an isolation app without running it. Its gate runs in a worker: see ./worker.

export { loadIsolationApp, type IsolationApp } from './hook/app.js'
export { type IsolationScript } from './sandbox/hook-sandbox.js'
