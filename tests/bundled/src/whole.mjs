// node whole.mjs [case …]: bundled with Sallyport in it, so that nothing of it is found in node_modules.
import { Worker } from 'node:worker_threads'
import { runCases } from './cases.mjs'

await runCases(process.argv.slice(2), {
  core: options => new Worker(new URL('./core-worker.mjs', import.meta.url), options),
  frontend: options => new Worker(new URL('./frontend-worker.mjs', import.meta.url), options),
  gate: options => new Worker(new URL('./gate-worker.mjs', import.meta.url), options),
})
