// What a frontend's code runs in, as its frontend sees it: links go in, and it says when it comes and goes.
import type { LinkEndpoint } from '@sallyport/protocol'
import type { Attachment, CoreCommand } from '../../contract/control.js'
import type { WorkerStats } from '../supervision/policy.js'

/** What a frontend's code runs in: a worker, or the host's own thread. */
export interface FrontendRuntime {
  /** Its code begins with its first link; another takes the place of that one. */
  link(link: LinkEndpoint, gate: LinkEndpoint | undefined): void
  /** It can be linked. */
  readonly isUp: boolean
  /** It has done what no honest one would, or there is nothing more for it to call. A worker may be started again. */
  end(error: Error): void
  /** For good. */
  fail(error: Error): void
  stop(): Promise<unknown>
  /** Loads its module anew; the host's own code has none. */
  reload?(): Promise<void>
  readonly stats: WorkerStats
}

/** What a guest tells of itself. */
export interface RuntimeEvents {
  /** It has been started again: its code begins anew. */
  up(): void
  /** It has ended, and may be started again. */
  down(): void
  /** It has ended for good. */
  gone(error: Error | undefined): void
}

// Core, as what joins frontends to it sees it: in a thread of this process, or in another one, behind a network.

export interface CoreEndpoint {
  /** Frontends can be joined to it. */
  readonly isUp: boolean
  /** Its ends of their links are in the calling thread. */
  readonly isHere: boolean
  /** In another process: who calls it may be gone without a word. */
  readonly isFar: boolean
  attach(attachment: Attachment): void
  /** That the code of a frontend begins, and that it is gone. */
  post(command: Extract<CoreCommand, { type: 'begin' | 'end' }>): void
}
