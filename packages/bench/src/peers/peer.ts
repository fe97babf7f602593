// Another library for calls between threads, measured beside ours. A new one is a file like the others in this folder, named
// after its package, its name in index.ts, and the package among the dependencies.
import type { MessagePort } from 'node:worker_threads'

export type Handlers = Readonly<Record<string, (args: never) => unknown>>

/** Both sides of a MessagePort, as the library's own documentation has them. */
export interface Peer {
  /** In the thread that answers. */
  serve(port: MessagePort, handlers: Handlers): void
  /** In the thread that measures: gives what calls a handler by its name. */
  connect(port: MessagePort): (command: string, args: unknown) => Promise<unknown>
}
