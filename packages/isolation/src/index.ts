// Checks an isolation app without running it. Its gate runs in a worker: see ./worker.

export { loadIsolationApp, type IsolationApp } from './hook/isolation-app.js'
export { type IsolationScript } from './compartment/hook-sandbox.js'
