// Calls that a client makes over a link whose other end answers in this thread: a process that waits for its frontend has time to let
// V8 compile and optimize what every call needs.
import { BatchReader, codecs } from '@sallyport/protocol/internal/codec'
import { StreamLink } from '@sallyport/protocol/internal/link'
import type { RequestMessage } from '@sallyport/protocol/internal/message'
import type { Link } from '@sallyport/protocol/internal/wire'
import { Client } from '../client/client.js'

/** A third of the time of a rare call is gone after these. */
const CALLS = 1000

/** @param isOver - true once the process is needed: the calls end */
export async function warmUp(isOver: () => boolean): Promise<void> {
  const { duplexPair } = process.getBuiltinModule('node:stream')
  const [near, far] = duplexPair().map(stream => new StreamLink(stream)) as [StreamLink, StreamLink]
  answerCalls(far)
  const client = new Client(near, { label: 'warm-up' })
  for (let call = 0; call < CALLS && !isOver(); call++) await client.invoke('greet', { name: 'World' })
  await client.close()
  far.close()
}

/** Answers each call that a link receives with the same text. */
export function answerCalls(link: Link): void {
  const reader = new BatchReader()
  const { json } = codecs
  link.receive({
    frame({ kind, body }) {
      for (const { id } of reader.read(kind, body) as readonly RequestMessage[]) {
        const answer = json.encode({ jsonrpc: '2.0', id, result: 'Hello, World!' }) as string
        link.send({ kind, body: json.join([answer]) })
      }
    },
    closed() {},
  })
}
