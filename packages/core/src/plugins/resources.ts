// Tauri's resources plugin: how `Resource.close()` closes what it stands for.
import type { RunnableCommand } from '../commands.js'
import { countOf } from '../invalid-args.js'
import type { Resources } from '../resources.js'
import { coreCommand } from './core-command.js'

/** @param ofApp what is open for everybody: where the caller itself has no such resource, that is looked through */
export function createResourceCommands(ofApp: Resources): RunnableCommand[] {
  return [
    coreCommand('resources', 'close', async (args, { resources }, method) => {
      const rid = countOf(method, args, 'rid')
      await (ofApp.has(rid) && !resources.has(rid) ? ofApp : resources).close(rid)
    }),
  ]
}
