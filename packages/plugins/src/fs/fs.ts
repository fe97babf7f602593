// The commands of @tauri-apps/plugin-fs, limited to the scope of the caller's permissions.
import { type CommandContext, type Plugin } from '@sallyport/core'
import type { Args } from '../definition/args.js'
import { createPlugin } from '../definition/create-plugin.js'
import { checkLimits } from '../definition/limits.js'
import { FairLock } from '../io/lock.js'
import { LabelSlots } from '../io/slots.js'
import { checkPathEntry, getPathScopeOptions, PathGrants } from '../scope/paths.js'
import { FsCall, type FsHandlers, type FsState, LabelCount } from './calls.js'
import { entries } from './entries.js'
import { handles } from './handles.js'
import { lines } from './lines.js'
import { watching } from './watching.js'
import { wholeFiles } from './whole-files.js'

/** Options of `fs`. */
export interface FsOptions {
  /**
   * If true, the wildcards of an allowed path do not match names that begin with a dot. Denied paths match them always.
   *
   * @default true, and false on Windows
   */
  readonly requireLiteralLeadingDot?: boolean
  /** The largest file that `read_file` and `read_text_file` return, in bytes. @default 268435456 */
  readonly maxFileBytes?: number
  /** The most files that one frontend keeps open. @default 256 */
  readonly maxOpenFiles?: number
}

/** The most watchers of one frontend, and the most directories that they watch. */
const MAX_WATCHERS = 64
const MAX_WATCHED_DIRECTORIES = 10_000

/** The most calls of one frontend at a time. Node runs four operations on files at a time. */
const MAX_CALLS = 8

const COMMANDS: FsHandlers = { ...entries, ...handles, ...wholeFiles, ...lines, ...watching }

/**
 * Creates the plugin `fs`: the commands of `@tauri-apps/plugin-fs`. A frontend reads and writes only paths that its permissions allow:
 * `{ permission: 'fs:allow-read-text-file', allow: ['$APPDATA/notes/**'] }`. Links cannot lead out of them.
 *
 * @throws {TypeError} if an option is invalid
 */
export function fs(options: FsOptions = {}): Plugin<'fs'> {
  const { requireLiteralLeadingDot, maxFileBytes = 256 * 1024 * 1024, maxOpenFiles = 256 } = options
  checkLimits('fs', { maxFileBytes, maxOpenFiles })
  const state: FsState = {
    scopes: getPathScopeOptions(requireLiteralLeadingDot),
    maxFileBytes,
    lock: new FairLock(),
    calls: new LabelSlots(MAX_CALLS),
    exclusiveCalls: new LabelSlots(1),
    largeReads: new LabelSlots(1),
    files: new LabelCount(maxOpenFiles, 'files'),
    watchers: new LabelCount(MAX_WATCHERS, 'watchers'),
    watchedDirectories: new LabelCount(MAX_WATCHED_DIRECTORIES, 'watched directories'),
  }
  const commands = Object.entries(COMMANDS).map(([name, handler]) => {
    const command = (args: Args, ctx: CommandContext): unknown =>
      state.calls.run(ctx.label, ctx.signal, () =>
        handler(new FsCall(name, args, ctx, state, ctx.app.state(PathGrants))),
      )
    return [name, command] as const
  })
  return createPlugin('fs', {
    commands: Object.fromEntries(commands),
    checkScope: entry => checkPathEntry(entry),
    setup: app => void app.manage(PathGrants, new PathGrants()),
  })
}
