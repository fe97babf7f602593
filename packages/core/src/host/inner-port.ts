// Node's own messages between a worker and its host, such as what the worker writes, come over a port that code in the worker
// can find; and Node believes them: any other message is an uncaught error here, which ends the host. So only those get in
// that Node itself would send.
import { Worker } from 'node:worker_threads'

type Take = (message: object) => void
type Said = { type?: unknown; stream?: unknown; chunks?: unknown }

export function guardInnerPort(worker: Worker): void {
  const name = Object.getOwnPropertySymbols(Worker.prototype).find(({ description }) => description === 'kOnMessage')
  if (!name) return
  const inner = worker as unknown as Record<symbol, Take>
  const take = inner[name]!
  const ended = new Set<unknown>()
  inner[name] = message => {
    const said = Object(message) as Said
    if (said.type === 'upAndRunning' || said.type === 'couldNotSerializeError') take.call(worker, said)
    else if (said.type === 'errorMessage') takeError(() => take.call(worker, said))
    else if (said.type === 'stdioPayload') takeOutput(said, ended, output => take.call(worker, output))
  }
}

/** An error comes in bytes, which may be none. Those who hear of it throw nothing themselves. */
function takeError(take: () => void): void {
  try {
    take()
  } catch {
    // The worker has lied. When it ends, its exit is told.
  }
}

function takeOutput({ type, stream, chunks }: Said, ended: Set<unknown>, take: Take): void {
  if ((stream !== 'stdout' && stream !== 'stderr') || !Array.isArray(chunks)) return
  for (const { chunk, encoding } of Array.from(chunks as unknown[], Object) as Record<string, unknown>[]) {
    if (ended.has(stream)) return
    if (chunk === null) ended.add(stream)
    else if (!isText(chunk, encoding) && !isOwnBytes(chunk)) continue
    take({ type, stream, chunks: [{ chunk, encoding: typeof chunk === 'string' ? encoding : '' }] })
  }
}

const isText = (chunk: unknown, encoding: unknown): boolean =>
  typeof chunk === 'string' && typeof encoding === 'string' && Buffer.isEncoding(encoding)

/** Shared memory could change while it is read. */
const isOwnBytes = (chunk: unknown): boolean => chunk instanceof Uint8Array && chunk.buffer instanceof ArrayBuffer
