import { NODE_METHOD } from '@sallyport/protocol/internal/message'
import type { Connection } from './connection.js'

/** Resolves once core has handled all that was sent before, and what it sent until then has arrived; or once the link is closed. Not in pages. */
export async function synchronize(connection: Connection): Promise<void> {
  if (connection.isClosed) return
  const send = (done: () => void): void =>
    connection.requestInternal({ command: NODE_METHOD.sync, args: {}, resolve: done, reject: done })
  await new Promise<void>(send)
}
