// The answering thread of the reference of `few-calls`.
import { parentPort } from 'node:worker_threads'

const commands: Record<string, (params: { name: string }) => string> = { greet: ({ name }) => `Hello, ${name}!` }

type Request = { id: number; method: string; params: { name: string } }

parentPort?.on('message', ({ id, method, params }: Request) =>
  parentPort?.postMessage({ id, result: commands[method]!(params) }),
)
