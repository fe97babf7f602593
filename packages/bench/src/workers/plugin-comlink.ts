// A plugin in a thread, with comlink in both directions.
import { expose, wrap, type Endpoint } from 'comlink'
import adapter from 'comlink/dist/umd/node-adapter.js'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'

// The types describe a default export, but the CommonJS file exports the function.
const nodeEndpoint = adapter as unknown as (port: MessagePort) => Endpoint

const host = wrap(nodeEndpoint(workerData as MessagePort)) as unknown as Record<string, (args: unknown) => unknown>
Object.assign(globalThis, {
  sallyport: {
    invoke: (name: string, args: unknown) => host[name]!(args),
    expose: (functions: object) => expose(functions, nodeEndpoint(parentPort!)),
  },
})
await import(new URL('../../frontends/plugin.js', import.meta.url).href)
