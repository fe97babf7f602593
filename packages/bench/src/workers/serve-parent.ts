// A measuring thread that the bench process started itself, and talks to over the worker's own port.
import { parentPort } from 'node:worker_threads'
import { serve, type Measure, type Request } from './serve.js'

export function serveParent(measure: Measure): void {
  const answer = serve(measure)
  parentPort?.on('message', (request: Request) => void answer(request).then(reply => parentPort?.postMessage(reply)))
}
