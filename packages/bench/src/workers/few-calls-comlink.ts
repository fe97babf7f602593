// The answering thread of comlink in `few-calls`.
import { expose } from 'comlink'
import adapter from 'comlink/dist/umd/node-adapter.js'
import { parentPort } from 'node:worker_threads'

// The types describe a default export, but the CommonJS file exports the function.
const nodeEndpoint = adapter as unknown as typeof adapter.default
expose({ greet: ({ name }: { name: string }) => `Hello, ${name}!` }, nodeEndpoint(parentPort!))
