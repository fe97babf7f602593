// Core, as what joins frontends to it sees it: in a thread of this process, or in another one, behind a network.
import type { Attachment, CoreCommand } from '../control.js'

export interface CoreSide {
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
