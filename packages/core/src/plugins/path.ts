// Tauri's path plugin: the commands that `@tauri-apps/api/path` calls.
import * as text from '../path/components.js'
import type { PathPlatform } from '../path/components.js'
import { directoryName, type PathResolver } from '../path/resolver.js'
import { getCount, invalidArgument, getOptionalString, getString, getStrings } from '../rpc/arguments.js'
import type { RunnableCommand } from '../rpc/registry.js'
import { coreCommand, type CoreCommandRun } from './core-command.js'

/** @param cwd returns the current working directory */
export function createPathCommands(
  resolver: PathResolver,
  platform: PathPlatform,
  cwd: () => string,
): RunnableCommand[] {
  const path = (name: string, run: CoreCommandRun): RunnableCommand => coreCommand('path', name, run)
  return [
    path('resolve_directory', (args, _call, method) => {
      const directory = getCount(method, args, 'directory')
      if (!directoryName(directory)) {
        throw invalidArgument(method, 'directory', `invalid value: ${directory}, expected one of 1 to 23`)
      }
      return resolver.resolve(directory, getOptionalString(method, args, 'path'))
    }),
    path('resolve', (args, _call, method) => text.resolve(getStrings(method, args, 'paths'), platform, cwd())),
    path('normalize', (args, _call, method) => text.normalize(getString(method, args, 'path'), platform)),
    path('join', (args, _call, method) => text.join(getStrings(method, args, 'paths'), platform)),
    path('dirname', (args, _call, method) => text.dirname(getString(method, args, 'path'), platform)),
    path('extname', (args, _call, method) => text.extname(getString(method, args, 'path'), platform)),
    path('basename', (args, _call, method) =>
      text.basename(getString(method, args, 'path'), getOptionalString(method, args, 'ext'), platform),
    ),
    path('is_absolute', (args, _call, method) => text.isAbsolute(getString(method, args, 'path'), platform)),
  ]
}
