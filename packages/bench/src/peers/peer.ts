// Another library for calls between threads, measured beside ours. A new one is a file like the others in this folder, an
// entry in index.ts, and the package among the dependencies.
import type { MessagePort } from 'node:worker_threads'

export type Handlers = Readonly<Record<string, (args: never) => unknown>>

/** Calls a handler by its name. */
export type CallPeer = (command: string, args: unknown) => Promise<unknown>

/** Both sides of a MessagePort, as the library's own documentation has them. */
export interface Peer {
  /** In the thread that answers. A pool has none: it starts threads of its own. */
  serve?(port: MessagePort, handlers: Handlers): void
  /** In the thread that measures. */
  connect(port: MessagePort): CallPeer | Promise<CallPeer>
}

/** Node's port has all that a library for browsers uses of theirs; only the types say otherwise. */
export const asDom = (port: MessagePort): never => port as never
