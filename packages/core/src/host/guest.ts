// What a frontend's code runs in, as its frontend sees it: links go in, and it says when it comes and goes.
import type { LinkEnd } from '@sallyport/protocol'
import type { WorkerStats } from './supervision.js'

/** What a frontend's code runs in: a worker, or the host's own thread. */
export interface Guest {
  /** Its code begins with its first link; another takes the place of that one. */
  link(link: LinkEnd, gate: LinkEnd | undefined): void
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
export interface GuestEvents {
  /** It has been started again: its code begins anew. */
  up(): void
  /** It has ended, and may be started again. */
  down(): void
  /** It has ended for good. */
  gone(error: Error | undefined): void
}
