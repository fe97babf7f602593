// Guards the port that Node itself uses between a worker and its host.
import { Worker } from 'node:worker_threads'

type Receive = (message: object) => void
/**
 * Lets only the messages of its start and its errors into the port that Node itself uses between a worker and its host. Code in the worker can
 * find that port, and any message that Node does not expect is an uncaught error, which would end the host. Output is a report.
 */
export function guardInnerPort(worker: Worker): void {
  const name = Object.getOwnPropertySymbols(Worker.prototype).find(({ description }) => description === 'kOnMessage')
  if (!name) return
  const inner = worker as unknown as Record<symbol, Receive>
  const receive = inner[name]!
  inner[name] = value => {
    const message = Object(value) as { type?: unknown }
    if (message.type === 'upAndRunning' || message.type === 'couldNotSerializeError') receive.call(worker, message)
    else if (message.type === 'errorMessage') {
      try {
        receive.call(worker, message)
      } catch {
        // The error was forged, as its listeners throw nothing themselves. The worker's exit is reported when it ends.
      }
    }
  }
}
