// Commands that are ready to run.
import type { CommandIdentity } from '../acl/types.js'
import type { CommandContent } from '../api/command-description.js'
import type { IncomingCall } from './call-table.js'

/** Runs the phases of a call from its quota to its handler: see call-phases.ts. */
export interface Runnable {
  run(args: unknown, ctx: IncomingCall): unknown
}

export interface RunnableCommand extends CommandIdentity, Runnable {
  /** Returns what the command does and takes. Without it, only its name is known. */
  describe?(): CommandContent
}

/** Commands by the name that they are called by. */
export type CommandRegistry = ReadonlyMap<string, RunnableCommand>
