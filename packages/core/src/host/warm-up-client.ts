// Calls that a client makes over a ring whose other end answers in this thread. V8 compiles a function when it is first called, and
// interprets it at first: the program's first calls would take several times as long.
import { tracingChannel } from 'node:diagnostics_channel'
import { createReconnectingClient, endClient } from '@sallyport/frontend/internal'
import { BatchReader, codecs } from '@sallyport/protocol/internal/codec'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import type { RequestMessage } from '@sallyport/protocol/internal/message'

/** More calls gain little until V8 optimizes, after thousands. */
const CALLS = 30

/** Calls of this thread's clients. */
const invokes = tracingChannel('sallyport.invoke')

let warmedUp: Promise<void> | undefined

/** Resolves after some milliseconds of work in pieces of one call. Works once in a thread: call it while the host waits for core. */
export const warmUpClient = (): Promise<void> => (warmedUp ??= makeCalls())

async function makeCalls(): Promise<void> {
  const [near, far] = createLinkEndpoints('ring', 'never')
  const server = openLink(far, false)
  const reader = new BatchReader()
  const { json } = codecs
  server.receive({
    frame({ kind, body }) {
      for (const { id } of reader.read(kind, body) as readonly RequestMessage[]) {
        server.send({ kind, body: json.join([json.encode({ jsonrpc: '2.0', id, result: 'Hello, World!' })]) })
      }
    },
    closed() {},
  })
  const client = createReconnectingClient(openLink(near, true), { label: 'warm-up' })
  // Subscribers would see these calls.
  for (let call = 0; call < CALLS && !invokes.hasSubscribers; call++) await client.invoke('greet', { name: 'World' })
  endClient(client, undefined)
}
