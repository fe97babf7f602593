// Calls that a client makes over a ring whose other end answers in this thread. V8 compiles a function when it is first called, and
// interprets it at first: the program's first calls would take several times as long.
import { tracingChannel } from 'node:diagnostics_channel'
import { answerCalls, createReconnectingClient, endClient } from '@sallyport/frontend/internal'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'

/** More calls gain little until V8 optimizes, after thousands. */
const CALLS = 30

/** Calls of this thread's clients. */
const invokes = tracingChannel('sallyport.invoke')

let warmedUp: Promise<void> | undefined

/** Resolves after some milliseconds of work in pieces of one call. Works once in a thread: call it while the host waits for core. */
export const warmUpClient = (): Promise<void> => (warmedUp ??= makeCalls())

async function makeCalls(): Promise<void> {
  const [near, far] = createLinkEndpoints('ring', 'never')
  answerCalls(openLink(far, false))
  const client = createReconnectingClient(openLink(near, true), { label: 'warm-up' })
  // Subscribers would see these calls.
  for (let call = 0; call < CALLS && !invokes.hasSubscribers; call++) await client.invoke('greet', { name: 'World' })
  endClient(client, undefined)
}
