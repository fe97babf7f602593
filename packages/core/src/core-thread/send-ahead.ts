// What core prints before it hangs. Node sends a text of a thread's output to the host, and the next one once that has been read, for which the thread's
// event loop must turn.
import { MAX_WAITING_OUTPUT } from '@sallyport/protocol/internal/wire'

type Chunks = readonly { chunk: string | Uint8Array }[]
type Writev = (chunks: Chunks, done: (error?: Error | null) => void) => void

/** Lets the stream send more before the host has read it, up to a bound. */
export function sendAhead(stream: object): void {
  const node: { _writev?: Writev | null } = stream
  const send = node._writev?.bind(stream)
  if (!send) return
  let unread = 0
  node._writev = (chunks, done) => {
    const length = chunks.reduce((sum, { chunk }) => sum + chunk.length, 0)
    unread += length
    const isFull = unread > MAX_WAITING_OUTPUT
    send(chunks, error => {
      unread -= length
      if (isFull) done(error)
    })
    if (!isFull) done()
  }
}
