// The answering thread of birpc in `few-calls`.
import { createBirpc } from 'birpc'
import { parentPort } from 'node:worker_threads'

createBirpc(
  { greet: ({ name }: { name: string }) => `Hello, ${name}!` },
  { post: data => parentPort?.postMessage(data), on: receive => void parentPort?.on('message', receive) },
)
