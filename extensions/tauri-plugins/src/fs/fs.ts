// The commands of @tauri-apps/plugin-fs, limited to the scope of the caller's permissions.
import type { CommandContext, Plugin } from '@sallyport/core'
import {
  BOOLEAN,
  checkOptions,
  checkPathEntry,
  getPathScopeOptions,
  type OptionChecks,
  PathGrants,
} from '@sallyport/paths/internal'
import { type Args, createPlugin, DIRECTORY, POSITIVE } from '../shared/plugin.js'
import { OWN_PERMISSION, OwnDirectories, PathLock } from './paths.js'
import { LabelCount, LabelSlots } from '../shared/slots.js'
import { FsCall, type FsHandlers, type FsState } from './calls.js'
import { entries } from './entries.js'
import { files } from './files.js'
import { watching } from './watching.js'

/** Options of `fs`. */
export interface FsOptions {
  /**
   * If true, the wildcards of an allowed path do not match names that begin with a dot. Denied paths match them always.
   * @default true, and false on Windows
   */
  readonly requireLiteralLeadingDot?: boolean
  /**
   * The directory that contains one for each label, which `$OWN` in a scope is: the permission `fs:own` allows a frontend everything in its own.
   * @default `own` in the program's data directory (`$APPDATA/own`), for which the bus needs an `identifier`
   */
  readonly own?: string | URL
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

const OPTIONS: OptionChecks<FsOptions> = {
  requireLiteralLeadingDot: BOOLEAN,
  own: DIRECTORY,
  maxFileBytes: POSITIVE,
  maxOpenFiles: POSITIVE,
}

const COMMANDS: FsHandlers = { ...entries, ...files, ...watching }

/**
 * Creates the plugin `fs`: the commands of `@tauri-apps/plugin-fs`. A frontend reads and writes only paths that its permissions allow:
 * `{ permission: 'fs:allow-read-text-file', allow: ['$APPDATA/notes/**'] }`. Links cannot lead out of them.
 * @throws {BusError} InvalidParams for an invalid option
 */
export function fs(options: FsOptions = {}): Plugin<'fs'> {
  const {
    requireLiteralLeadingDot,
    own,
    maxFileBytes = 256 * 1024 * 1024,
    maxOpenFiles = 256,
  } = checkOptions('fs()', options, OPTIONS)
  const scopes = getPathScopeOptions(requireLiteralLeadingDot)
  const state: FsState = {
    scopes,
    own: new OwnDirectories(own),
    maxFileBytes,
    lock: new PathLock(scopes.rules),
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
    permissions: [{ permission: [{ ...OWN_PERMISSION, commands: { allow: Object.keys(COMMANDS) } }] }],
    checkScope: entry => checkPathEntry(entry),
    setup: app => void app.manage(PathGrants, new PathGrants()),
  })
}
