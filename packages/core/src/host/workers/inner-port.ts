// Guards the port that Node itself uses between a worker and its host.
import { Worker } from 'node:worker_threads'
import { isArrayBuffer, isUint8Array } from '@sallyport/protocol/internal/util'

type Receive = (message: object) => void
type InnerMessage = { type?: unknown; stream?: unknown; chunks?: unknown }

/**
 * Lets only valid messages into the port that Node itself uses between a worker and its host, for output and errors. Code in the
 * worker can find that port, and any message that Node does not expect is an uncaught error, which would end the host.
 */
export function guardInnerPort(worker: Worker): void {
  const name = Object.getOwnPropertySymbols(Worker.prototype).find(({ description }) => description === 'kOnMessage')
  if (!name) return
  const inner = worker as unknown as Record<symbol, Receive>
  const receive = inner[name]!
  const ended = new Set<unknown>()
  inner[name] = value => {
    const message = Object(value) as InnerMessage
    if (message.type === 'upAndRunning' || message.type === 'couldNotSerializeError') receive.call(worker, message)
    else if (message.type === 'stdioPayload') receiveOutput(message, ended, output => receive.call(worker, output))
    else if (message.type === 'errorMessage') {
      try {
        receive.call(worker, message)
      } catch {
        // The error was forged, as its listeners throw nothing themselves. The worker's exit is reported when it ends.
      }
    }
  }
}

function receiveOutput({ type, stream, chunks }: InnerMessage, ended: Set<unknown>, receive: Receive): void {
  if ((stream !== 'stdout' && stream !== 'stderr') || !Array.isArray(chunks)) return
  for (const { chunk, encoding } of Array.from(chunks as unknown[], Object) as Record<string, unknown>[]) {
    if (ended.has(stream)) return
    if (chunk === null) ended.add(stream)
    else if (!isText(chunk, encoding) && !isUnsharedBytes(chunk)) continue
    receive({ type, stream, chunks: [{ chunk, encoding: typeof chunk === 'string' ? encoding : '' }] })
  }
}

const isText = (chunk: unknown, encoding: unknown): boolean =>
  typeof chunk === 'string' && typeof encoding === 'string' && Buffer.isEncoding(encoding)

/** Refuses shared memory, which could change while it is read. */
const isUnsharedBytes = (chunk: unknown): boolean => isUint8Array(chunk) && isArrayBuffer(chunk.buffer)
